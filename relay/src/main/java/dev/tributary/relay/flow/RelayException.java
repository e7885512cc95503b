package dev.tributary.relay.flow;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ends the streaming of one source, with what an operator should know. As it stands: a fault that is expected to pass,
 * after which the source is opened again. Its subclasses are the faults that do not pass in that way.
 */
public class RelayException extends RuntimeException {
    private final String remedy;

    public RelayException(String reason, String remedy, @Nullable Throwable cause) {
        super(reason, cause);
        this.remedy = remedy;
    }

    /** What is wrong, in a sentence. */
    public String reason() {
        return String.valueOf(getMessage());
    }

    /** What to do about it. */
    public String remedy() {
        return remedy;
    }

    /** Another relay holds the slot. */
    public static final class SlotBusy extends RelayException {
        public SlotBusy(String reason, String remedy, @Nullable Throwable cause) {
            super(reason, remedy, cause);
        }
    }

    /** The slot is missing, invalidated, or of another history: WAL that was not relayed yet may be gone. */
    public static class SlotLost extends RelayException {
        public SlotLost(String reason, String remedy) {
            super(reason, remedy, null);
        }
    }

    /**
     * The log does not go on from what Kafka holds: the database is not what that came from, or events were kept from the log.
     * Soon it may look as if it did, so nothing goes on until people raise the epoch.
     */
    public static final class HistoryBroken extends SlotLost {
        public HistoryBroken(String reason, String remedy) {
            super(reason, remedy);
        }
    }

    /** Kafka will never take one event as it is; what becomes of it is the configuration's to say. */
    public static final class Refused extends Stopped {
        private final UUID eventId;
        private final @Nullable String topic;

        /** @param topic the topic that takes no event at all; null if it is this one that is refused */
        public Refused(UUID eventId, @Nullable String topic, String reason, String remedy, @Nullable Throwable cause) {
            super(reason, remedy, cause);
            this.eventId = eventId;
            this.topic = topic;
        }

        public UUID eventId() {
            return eventId;
        }

        /** The topic that takes no event at all; null if it is this one that is refused. */
        public @Nullable String topic() {
            return topic;
        }
    }

    /** Going on would lose, double or reorder events, or cannot work; nothing moves until an operator has acted. */
    public static class Stopped extends RelayException {
        public Stopped(String reason, String remedy, @Nullable Throwable cause) {
            super(reason, remedy, cause);
        }

        /** Whether another attempt might go on without having seen what this one has: only people may make it. */
        public boolean isForGood() {
            return false;
        }
    }

    /** A topic lost what it had acknowledged, as only the stream that wrote to it has seen. */
    public static final class RecordsLost extends Stopped {
        public RecordsLost(String reason, String remedy) {
            super(reason, remedy, null);
        }

        @Override
        public boolean isForGood() {
            return true;
        }
    }
}

package dev.tributary.relay.flow;

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

    /** The slot is missing or invalidated: WAL that was not relayed yet may be gone. */
    public static final class SlotLost extends RelayException {
        public SlotLost(String reason, String remedy) {
            super(reason, remedy, null);
        }
    }

    /** Going on would lose, double or reorder events, or cannot work; nothing moves until an operator has acted. */
    public static final class Stopped extends RelayException {
        public Stopped(String reason, String remedy, @Nullable Throwable cause) {
            super(reason, remedy, cause);
        }
    }
}

package dev.tributary.relay.source.debezium;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Holds a transaction's events until its end has come, since only then their positions are known: Debezium does not tell
 * the commit record's LSN, which pgoutput's positions have, but with a transaction's last record where the commit record
 * ends. Records in the log begin and end at multiples of 8, so the end less 1 lies between this transaction's commit record
 * and the next one's, is the position of no event that the other engine has read, and is the same at every delivery
 * (docs/adr/0004-positions-of-the-debezium-engine.md). Not thread-safe.
 */
final class OpenTransaction {
    /** Roughly what an event takes beside its bytes. */
    private static final int EVENT_OVERHEAD_BYTES = 512;

    private final SourceConfig source;
    private final int epoch;
    private final Deque<OutboxEvent> events = new ArrayDeque<>();
    private boolean open;
    private long bytes;
    private long endLsn;
    private Instant committedAt = Instant.EPOCH;
    private int ordinal;

    OpenTransaction(SourceConfig source, int epoch) {
        this.epoch = epoch;
        this.source = source;
    }

    void begin() {
        open = true;
    }

    /** @throws RelayException.Stopped if there is more in the transaction than may be held */
    void add(OutboxEvent event) {
        byte[] headers = event.headers();
        bytes += EVENT_OVERHEAD_BYTES
                + event.payload().length
                + event.aggregateId().length
                + (headers == null ? 0 : headers.length);
        if (bytes > source.transactionBytesMax()) {
            throw new RelayException.Stopped(
                    "a transaction has more events than " + source.key("transaction.bytes.max") + " allows to hold ("
                            + source.transactionBytesMax() + " bytes); it has event " + event.id(),
                    "raise " + source.key("transaction.bytes.max") + " and the heap, or set " + source.key("engine")
                            + " to pgoutput, which holds no transactions; either is safe at any time",
                    null);
        }
        events.addLast(event);
    }

    /** Notes that it ended, at {@code endLsn}. */
    void end(long endLsn, Instant committedAt) {
        this.endLsn = endLsn;
        this.committedAt = committedAt;
        open = false;
        ordinal = 0;
    }

    /** Whether something has begun and is not handed over wholly. */
    boolean isUnderWay() {
        return open || endLsn != 0;
    }

    /** Hands over an event of a transaction that has ended, or else its end; false if there is none. */
    boolean handOver(ChangeListener listener) {
        if (open || endLsn == 0) {
            return false;
        }
        OutboxEvent event = events.pollFirst();
        if (event != null) {
            listener.event(event.at(new Position(epoch, endLsn - 1, ordinal++)));
        } else {
            long end = endLsn;
            endLsn = 0;
            bytes = 0;
            listener.committed(end, committedAt);
        }
        return true;
    }
}

package dev.tributary.relay.progress;

import dev.tributary.relay.flow.Delivery;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Transactions between database and Kafka, in commit order. Only when all events of a transaction, and of all before
 * it, are acknowledged, may its end be confirmed to the database. One thread hands over and one other, the producer's,
 * acknowledges: each counter has one writer, and is never contended for.
 */
public final class InFlight {
    private final long bytesMax;
    private final Counter sentBytes = new Counter();
    private final Counter acknowledgedBytes = new Counter();
    private final Counter sentEvents = new Counter();
    private final Counter acknowledgedEvents = new Counter();
    private final ArrayDeque<Transaction> transactions = new ArrayDeque<>();
    private @Nullable Transaction open;
    private long confirmable;

    /**
     * @param confirmedLsn everything up to here is in Kafka already
     * @param bytesMax how much may be in flight before {@link #hasRoom} says no
     */
    public InFlight(long confirmedLsn, long bytesMax) {
        this.confirmable = confirmedLsn;
        this.bytesMax = bytesMax;
    }

    /** Whether another event may be sent; it may exceed the limit by itself. */
    public boolean hasRoom() {
        return sentBytes.get() - acknowledgedBytes.get() < bytesMax;
    }

    /** Notes an event of the open transaction that is about to be sent. */
    public Delivery sending(int size) {
        Transaction transaction = open();
        transaction.sent++;
        sentBytes.add(size);
        sentEvents.add(1);
        return () -> {
            transaction.acknowledged.add(1);
            acknowledgedBytes.add(size);
            acknowledgedEvents.add(1);
        };
    }

    /** Notes that the open transaction has ended. */
    public void committed(long endLsn, Instant committedAt) {
        Transaction transaction = open();
        transaction.endLsn = endLsn;
        transaction.committedAt = committedAt;
        open = null;
    }

    private Transaction open() {
        Transaction transaction = open;
        if (transaction == null) {
            transaction = new Transaction();
            transactions.addLast(transaction);
            open = transaction;
        }
        return transaction;
    }

    /** Up to where everything is in Kafka; grows. */
    public long confirmableLsn() {
        Transaction oldest = transactions.peekFirst();
        while (oldest != null && oldest != open && oldest.acknowledged.get() == oldest.sent) {
            confirmable = Math.max(confirmable, oldest.endLsn);
            transactions.removeFirst();
            oldest = transactions.peekFirst();
        }
        return confirmable;
    }

    /**
     * Takes note that the source has nothing more up to {@code lsn}; that counts only while nothing is in flight.
     */
    public void caughtUpTo(long lsn) {
        if (transactions.isEmpty()) {
            confirmable = Math.max(confirmable, lsn);
        }
    }

    /** Events sent and not acknowledged. Safe to call from any thread. */
    public int events() {
        // In this order, or an event sent meanwhile would make it negative
        long acknowledged = acknowledgedEvents.get();
        return (int) (sentEvents.get() - acknowledged);
    }

    /** When the oldest complete transaction in flight committed; null if there is none. */
    public @Nullable Instant oldestCommit() {
        Transaction oldest = transactions.peekFirst();
        return oldest == null || oldest == open ? null : oldest.committedAt;
    }

    private static final class Transaction {
        final Counter acknowledged = new Counter();
        long sent;
        long endLsn;
        Instant committedAt = Instant.MAX;
    }

    /** Written by one thread, read by any. */
    private static final class Counter extends AtomicLong {
        void add(long more) {
            setRelease(getPlain() + more);
        }
    }
}

package dev.tributary.relay.progress;

import dev.tributary.relay.flow.Delivery;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Transactions between database and Kafka, in commit order. Only when all events of a transaction, and of all before
 * it, are acknowledged, may its end be confirmed to the database. One thread hands over; acknowledgements come from the
 * producer's thread.
 */
public final class InFlight {
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicInteger events = new AtomicInteger();
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
        return bytes.get() < bytesMax;
    }

    /** Notes an event of the open transaction that is about to be sent. */
    public Delivery sending(int size) {
        Transaction transaction = open();
        transaction.pending.incrementAndGet();
        bytes.addAndGet(size);
        events.incrementAndGet();
        return () -> {
            bytes.addAndGet(-size);
            events.decrementAndGet();
            transaction.pending.decrementAndGet();
        };
    }

    /** Notes that the open transaction has ended. */
    public void committed(long endLsn, Instant committedAt) {
        Transaction transaction = open();
        transaction.endLsn = endLsn;
        transaction.committedAt = committedAt;
        transaction.pending.decrementAndGet();
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
        while (oldest != null && oldest.pending.get() == 0) {
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
        return events.get();
    }

    /** When the oldest complete transaction in flight committed; null if there is none. */
    public @Nullable Instant oldestCommit() {
        Transaction oldest = transactions.peekFirst();
        return oldest == null || oldest == open ? null : oldest.committedAt;
    }

    private static final class Transaction {
        /** Unacknowledged events, and one for the end that has not come yet. */
        final AtomicInteger pending = new AtomicInteger(1);

        long endLsn;
        Instant committedAt = Instant.MAX;
    }
}

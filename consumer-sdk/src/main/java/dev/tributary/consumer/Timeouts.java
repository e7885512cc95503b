package dev.tributary.consumer;

import java.time.Duration;

/**
 * How long a subscription waits. Immutable.
 *
 * @param idleInTransaction how long a handler may keep the transaction without running a statement before the database
 *     ends it; what frees a dead or frozen instance's locks
 * @param takeover how long a new owner of a partition waits for the old owner's transaction before it ends that
 *     transaction's database session
 * @param database how long one answer of the database may take before the connection counts as lost; zero for ever. Handlers
 *     wait for a lock a tenth less, unless {@code lock_timeout} is set otherwise
 * @param close how long {@link Subscription#close} and a rebalance wait for the running transaction before it is cut
 * @param retryMax the longest pause between two attempts after a passing failure
 */
public record Timeouts(
        Duration idleInTransaction, Duration takeover, Duration database, Duration close, Duration retryMax) {
    private static final Timeouts DEFAULTS = new Timeouts(
            Duration.ofSeconds(30),
            Duration.ofSeconds(10),
            Duration.ofSeconds(60),
            Duration.ofSeconds(5),
            Duration.ofSeconds(5));

    public Timeouts {
        positive("idleInTransaction", idleInTransaction);
        positive("takeover", takeover);
        positive("close", close);
        positive("retryMax", retryMax);
        if (database.isNegative()) {
            throw new SubscriptionException("database must not be negative, but is " + database);
        }
    }

    /** 30 s idle, 10 s takeover, 60 s database, 5 s close, 5 s between attempts. */
    public static Timeouts ofDefaults() {
        return DEFAULTS;
    }

    /** These, with another {@link #idleInTransaction}. */
    public Timeouts withIdleInTransaction(Duration duration) {
        return new Timeouts(duration, takeover, database, close, retryMax);
    }

    /** These, with another {@link #takeover}. */
    public Timeouts withTakeover(Duration duration) {
        return new Timeouts(idleInTransaction, duration, database, close, retryMax);
    }

    /** These, with another {@link #database}. */
    public Timeouts withDatabase(Duration duration) {
        return new Timeouts(idleInTransaction, takeover, duration, close, retryMax);
    }

    /** These, with another {@link #close}. */
    public Timeouts withClose(Duration duration) {
        return new Timeouts(idleInTransaction, takeover, database, duration, retryMax);
    }

    /** These, with another {@link #retryMax}. */
    public Timeouts withRetryMax(Duration duration) {
        return new Timeouts(idleInTransaction, takeover, database, close, duration);
    }

    private static void positive(String name, Duration value) {
        if (value.toMillis() < 1) {
            throw new SubscriptionException(name + " must be at least 1 ms, not " + value);
        }
    }
}

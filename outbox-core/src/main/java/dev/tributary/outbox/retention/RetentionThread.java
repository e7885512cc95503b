package dev.tributary.outbox.retention;

import dev.tributary.outbox.retention.OutboxRetention.Connections;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Takes an {@link OutboxRetention}'s turns on a thread and a connection of its own, until it is closed. As many processes as
 * like may do so for the same database, a relay among them: one of them leads. Thread-safe.
 */
public final class RetentionThread implements AutoCloseable {
    /** How much longer to wait than usual after a turn that failed. */
    private static final int AWAY_TURNS = 10;

    private static final Duration WAIT_MAX = Duration.ofMinutes(1);
    private static final Duration END_MAX = Duration.ofSeconds(2);

    private final Connections connections;
    private final RetentionSettings settings;
    private final Account account;
    private final BooleanSupplier mayDrop;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile RetentionStatus status = RetentionStatus.UNKNOWN;
    private String told = "";
    private long toldHours;

    /** Hears what there is to log. Called by the thread itself. */
    public interface Account {
        /** What keeps it from its work, and the remedy; once, and again for every hour that the outbox is late by more. */
        void trouble(String sentences);

        /** Nothing does any more. */
        void worksAgain();
    }

    private RetentionThread(
            String name,
            Connections connections,
            RetentionSettings settings,
            Account account,
            BooleanSupplier mayDrop) {
        this.connections = connections;
        this.settings = settings;
        this.account = account;
        this.mayDrop = mayDrop;
        this.thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /** Starts it; the database may be away. */
    public static RetentionThread start(
            String name, Connections connections, RetentionSettings settings, Account account) {
        return start(name, connections, settings, account, () -> true);
    }

    /**
     * Starts it for somebody who knows more of the slots than the database does.
     *
     * @param mayDrop whether what the slots have confirmed is in Kafka, as far as is known; while it is not, partitions are
     *     made, and none is dropped. The thread itself asks, at every turn
     */
    public static RetentionThread start(
            String name,
            Connections connections,
            RetentionSettings settings,
            Account account,
            BooleanSupplier mayDrop) {
        RetentionThread started = new RetentionThread(name, connections, settings, account, mayDrop);
        started.thread.start();
        return started;
    }

    private void run() {
        long turn = settings.turnInterval().toMillis();
        try (OutboxRetention retention = new OutboxRetention(connections, settings)) {
            long wait = 0;
            while (!closing.await(wait, TimeUnit.MILLISECONDS)) {
                wait = turn(retention) ? turn : Math.min(turn * AWAY_TURNS, WAIT_MAX.toMillis());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            status = failed(e); // on its way out: the session is broken, and with it the lead is gone
        }
    }

    private boolean turn(OutboxRetention retention) {
        try {
            status = retention.turn(mayDrop.getAsBoolean());
            tell(status);
            return true;
        } catch (SQLException
                | RuntimeException
                | Error e) { // a thread that ended here would have an outbox grow unseen
            status = failed(e);
            tell(status);
            return false;
        }
    }

    private RetentionStatus failed(Throwable e) {
        RetentionStatus last = status;
        return new RetentionStatus(
                false,
                last.partitions(),
                last.outboxBytes(),
                last.defaultBytes(),
                last.overdue(),
                "it failed: " + (e instanceof SQLException ? e.getMessage() : e.toString()),
                "the role must be a member of the role that owns tributary.outbox: see 'relay check'");
    }

    private void tell(RetentionStatus now) {
        String kind = now.trouble().replaceAll("\\d+", "#");
        long hours = now.overdue().toHours();
        if (!now.trouble().isEmpty() && (!kind.equals(told) || hours > toldHours)) {
            account.trouble("retention: " + now.trouble() + ". The outbox has " + now.outboxBytes() + " bytes, and is "
                    + now.overdue() + " late." + (now.remedy().isEmpty() ? "" : " Remedy: " + now.remedy()));
        } else if (now.trouble().isEmpty() && !told.isEmpty()) {
            account.worksAgain();
        }
        told = kind;
        toldHours = hours;
    }

    /** After the last turn. */
    public RetentionStatus status() {
        return status;
    }

    /** Returns when it has ended, or after some seconds. */
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(settings.pauseMax().plus(END_MAX).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

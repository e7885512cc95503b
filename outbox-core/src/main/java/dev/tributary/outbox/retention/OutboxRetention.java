package dev.tributary.outbox.retention;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one database's {@code tributary.outbox} small, turn by turn: partitions are made ahead; one that lies in the past is
 * sealed when no transaction that has written to it is open; once every slot {@code tributary_*} has confirmed all that
 * was ever written to it, and the recovery window has passed since, it is detached, and dropped.
 *
 * <p>Any number of instances may take turns; one of them leads, as long as its session lasts, and the others do nothing.
 * Each step is one statement, which the server gives up rather than hold up writers for longer than {@link
 * RetentionSettings#pauseMax}. Whatever is killed in between, the next turn goes on from there. Used by one thread.
 */
public final class OutboxRetention implements AutoCloseable {
    /** Opens connections: direct ones, or through a pool that keeps sessions together; the role must be the owner's or a member. */
    @FunctionalInterface
    public interface Connections {
        Connection open() throws SQLException;
    }

    private final Connections connections;
    private final RetentionSettings settings;
    private final String clock;
    private final LongSupplier nanoTime;
    private @Nullable RetentionSession session;
    private @Nullable MakeAhead make;
    private @Nullable DropOld drop;
    private long lastTurn;

    /** Opens nothing yet. */
    public OutboxRetention(Connections connections, RetentionSettings settings) {
        this(connections, settings, "clock_timestamp()", System::nanoTime);
    }

    /**
     * With other clocks.
     *
     * @param clock SQL for what the server takes for the time
     */
    OutboxRetention(Connections connections, RetentionSettings settings, String clock, LongSupplier nanoTime) {
        this.connections = connections;
        this.settings = settings;
        this.clock = clock;
        this.nanoTime = nanoTime;
    }

    /**
     * One turn; call it every {@link RetentionSettings#turnInterval}.
     *
     * @throws SQLException if the database is away, has no Tributary tables of this version, or the role may not do this;
     *     the next turn begins with a new connection
     */
    public RetentionStatus turn() throws SQLException {
        return turn(true);
    }

    /** @param dropping whether what the slots have confirmed is to be believed; otherwise partitions are only made */
    RetentionStatus turn(boolean dropping) throws SQLException {
        try {
            RetentionSession leading = session;
            boolean first = leading == null;
            if (leading == null) {
                leading = lead();
                if (leading == null) {
                    return RetentionStatus.UNKNOWN;
                }
            }
            return turn(leading, first, dropping);
        } catch (SQLException | RuntimeException e) {
            closeQuietly();
            throw e;
        }
    }

    private @Nullable RetentionSession lead() throws SQLException {
        RetentionSession opened = RetentionSession.lead(connections.open(), settings, clock);
        session = opened;
        if (opened != null) {
            make = new MakeAhead(opened, settings);
            drop = new DropOld(opened, settings);
        }
        return opened;
    }

    private RetentionStatus turn(RetentionSession leading, boolean first, boolean dropping) throws SQLException {
        long now = nanoTime.getAsLong();
        // Only time in which this session led: two leaders would count it twice, and clocks are set
        Duration watched = first ? Duration.ZERO : Duration.ofNanos(now - lastTurn);
        lastTurn = now;
        Troubles troubles = new Troubles();
        if (make != null && drop != null) {
            make.run(now, troubles);
            if (dropping) {
                drop.run(watched, troubles);
            }
        }
        return Standing.of(leading, settings, dropping, troubles);
    }

    private void closeQuietly() {
        try {
            close();
        } catch (SQLException e) {
            session = null; // it is broken, which is why
        }
    }

    /** Gives up the lead; turns may go on afterwards. */
    @Override
    public void close() throws SQLException {
        RetentionSession leading = session;
        session = null;
        if (leading != null) {
            leading.close();
        }
    }
}

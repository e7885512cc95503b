package dev.tributary.relay.source.debezium;

import dev.tributary.relay.flow.RelayException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.postgresql.replication.LogSequenceNumber;

/**
 * Finds out how far the stream has come when it brings nothing. Debezium keeps the server's word on that to itself, so a
 * message is written into the log, and when it comes back, everything that committed before it has come too. Used by
 * one thread.
 */
final class Echo {
    /** Of the messages; others have no business with it. */
    static final String PREFIX = "tributary_relay";

    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration SILENCE_MAX = Duration.ofSeconds(10);

    private final Connection connection;
    private @Nullable String awaited;
    private long calledNanos = System.nanoTime() - INTERVAL.toNanos();
    private long heardNanos;
    private int number;

    /** On {@code connection}, which it changes the settings of. */
    Echo(Connection connection) throws SQLException {
        this.connection = connection;
        try (PreparedStatement set = connection.prepareStatement("SET synchronous_commit = local")) {
            set.execute(); // nothing is lost with the message, so no standby need have it
        }
    }

    /**
     * Calls, unless the last call was moments ago or is not back, or the log has not grown beyond {@code reached}: an idle
     * server stays idle.
     *
     * @throws RelayException if the last call has not come back for so long that the stream must be dead
     */
    void call(long reached) throws SQLException {
        long now = System.nanoTime();
        if (awaited != null) {
            if (now - Math.max(calledNanos, heardNanos) > SILENCE_MAX.toNanos()) {
                throw new RelayException(
                        "the stream is dead: what was written " + SILENCE_MAX.toSeconds() + " s ago does not arrive",
                        "none if the network comes back; the relay connects again",
                        null);
            }
        } else if (now - calledNanos >= INTERVAL.toNanos()) {
            calledNanos = now;
            String token = Integer.toString(++number);
            try (PreparedStatement call = connection.prepareStatement(
                    "SELECT pg_logical_emit_message(true, ?, ?) WHERE pg_current_wal_flush_lsn() > ?::pg_lsn")) {
                call.setString(1, PREFIX);
                call.setString(2, token);
                call.setString(3, LogSequenceNumber.valueOf(reached).asString());
                try (ResultSet row = call.executeQuery()) {
                    awaited = row.next() ? token : null;
                }
            }
        }
    }

    /** Notes that something has come through the stream. */
    void heard() {
        heardNanos = System.nanoTime();
    }

    /** Notes that a message came back. */
    void heard(String token) {
        if (token.equals(awaited)) {
            awaited = null;
        }
    }
}

package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The aggregates whose events the relay has set aside, and their release: their events are written to the outbox again, in
 * order, and so get positions of their own behind all that Kafka holds, which readers would otherwise take for repeats.
 */
public final class ParkedAggregates {
    private static final String LOCK_PATIENCE = "SET LOCAL lock_timeout = '10s'";
    private static final Duration CAUGHT_UP_MAX = Duration.ofSeconds(30);
    private static final Duration LOCKED_MAX = Duration.ofSeconds(10);
    private static final long LOOK_MS = 20;

    private final SourceConfig source;

    /** Of this source. */
    public ParkedAggregates(SourceConfig source) {
        this.source = source;
    }

    /**
     * One of them.
     *
     * @param events how many of its events are set aside
     * @param eventId the first
     * @param reason why that one cannot be published
     * @param since when it was set aside
     */
    public record Parked(
            String type,
            String id,
            long events,
            String eventId,
            @Nullable String reason,
            String since) {}

    /**
     * All, in the order of their first events.
     *
     * @throws SetupException if the database cannot be asked
     */
    public List<Parked> list() {
        try (Connection connection = Database.connect(source)) {
            if (Database.texts(connection, "SELECT 1 WHERE to_regclass('tributary.dead_letter') IS NOT NULL")
                    .isEmpty()) {
                return List.of();
            }
            return Database.list(
                    connection,
                    "SELECT aggregate_type, aggregate_id, count(*), (array_agg(id ORDER BY position))[1],"
                            + " (array_agg(reason ORDER BY position) FILTER (WHERE reason IS NOT NULL))[1],"
                            + " min(parked_at) FROM tributary.dead_letter WHERE source = ? AND released_at IS NULL GROUP BY 1, 2"
                            + " ORDER BY min(position)",
                    row -> new Parked(
                            row.getString(1),
                            row.getString(2),
                            row.getLong(3),
                            row.getString(4),
                            row.getString(5),
                            row.getString(6)),
                    source.name());
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("parked", source, e)));
        }
    }

    /**
     * Publishes one aggregate's events again. Needs a relay that streams: writers wait, for about a second, until it has come
     * to where they stopped, since an event that it had not seen by then would overtake those released.
     *
     * @return how many events
     * @throws SetupException if nothing of this aggregate is set aside, or it cannot be released now; nothing has changed then
     */
    public int release(String aggregateType, String aggregateId) {
        try (Connection connection = Database.connect(source);
                Statement statement = connection.createStatement()) {
            awaitRelay(connection, CAUGHT_UP_MAX);
            connection.setAutoCommit(false);
            statement.execute(LOCK_PATIENCE);
            statement.execute("LOCK TABLE tributary.outbox, tributary.event_store IN SHARE MODE");
            awaitRelay(connection, LOCKED_MAX);
            int events = insert(connection, aggregateType, aggregateId);
            if (events == 0) {
                throw refused(
                        "nothing of " + aggregateType + "/" + aggregateId + " is set aside",
                        "'relay parked' lists what is");
            }
            setReleased(connection, aggregateType, aggregateId);
            connection.commit();
            return events;
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("release", source, e)));
        }
    }

    /**
     * Old events go where their time belongs: into partitions, it may be, that retention has sealed and would drop next. The seal,
     * a size, does not notice a row for which there is room in a page.
     */
    private int insert(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        List<Integer> events = Database.list(
                connection,
                "WITH written AS (INSERT INTO tributary.outbox (id, aggregate_type, aggregate_id, sequence, type,"
                        + " content_type, payload, headers, occurred_at) SELECT id, aggregate_type, aggregate_id, sequence,"
                        + " type, content_type, payload, headers, occurred_at FROM tributary.dead_letter WHERE source = ?"
                        + " AND aggregate_type = ? AND aggregate_id = ? AND released_at IS NULL ORDER BY position"
                        + " RETURNING tableoid),"
                        + " unsealed AS (UPDATE tributary.outbox_partition SET sealed_lsn = NULL, sealed_size = NULL,"
                        + " watched = NULL WHERE NOT detached AND name IN (SELECT relname FROM pg_class"
                        + " WHERE oid IN (SELECT tableoid FROM written)))"
                        + " SELECT count(*) FROM written",
                row -> row.getInt(1),
                source.name(),
                aggregateType,
                aggregateId);
        return events.get(0);
    }

    private void setReleased(Connection connection, String aggregateType, String aggregateId) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE tributary.dead_letter SET released_at = clock_timestamp()"
                        + " WHERE source = ? AND aggregate_type = ? AND aggregate_id = ? AND released_at IS NULL")) {
            statement.setString(1, source.name());
            statement.setString(2, aggregateType);
            statement.setString(3, aggregateId);
            statement.execute();
        }
    }

    /** Until the relay has confirmed all that had committed at the time of the call. */
    private void awaitRelay(Connection connection, Duration max) throws SQLException {
        String committed = Database.texts(connection, "SELECT pg_current_wal_insert_lsn()::text")
                .get(0);
        long deadline = System.nanoTime() + max.toNanos();
        while (Database.texts(
                        connection,
                        "SELECT 1 FROM pg_replication_slots"
                                + " WHERE slot_name = ? AND active AND confirmed_flush_lsn >= ?::pg_lsn",
                        source.slot(),
                        committed)
                .isEmpty()) {
            if (System.nanoTime() > deadline) {
                throw refused(
                        "the relay has not come to " + committed + " within " + max.toSeconds()
                                + " s; what it has not seen would overtake what is released",
                        "start the relay, or wait until it has caught up, and try again");
            }
            try {
                Thread.sleep(LOOK_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw refused("interrupted", "try again");
            }
        }
    }

    private static SetupException refused(String message, String remedy) {
        return new SetupException(List.of(Finding.failed("release", message, remedy)));
    }
}

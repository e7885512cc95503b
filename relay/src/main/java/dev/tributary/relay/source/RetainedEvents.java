package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The events that the tables still hold, as they were at one moment: those that Kafka may lack. Rows are streamed,
 * however many there are. Used by one thread.
 */
public final class RetainedEvents implements AutoCloseable {
    /** Of up to 1 MiB each. */
    private static final int ROWS_FETCHED = 50;

    private static final int KEYS_FETCHED = 2_000;
    /** From here on a frozen row's transaction id may be one that has been given again. */
    private static final long XIDS = 1L << 32;

    private static final String ALIAS_SPAN = "interval '7 days'";

    private final Connection connection;
    private final String candidates;
    private final String touched;

    /**
     * Which rows Kafka may lack: by transaction where its ids still mean what they meant, otherwise by time.
     *
     * @param xidHorizon what transactions below it wrote is in Kafka; 0 if that says nothing
     * @param time what committed until then is in Kafka; null if that is not known
     * @param from what occurred before then, whichever the transaction, is in Kafka; null if that is not known
     */
    public record Since(
            long xidHorizon,
            @Nullable Instant time,
            @Nullable Instant from) {}

    /**
     * Connects.
     *
     * @param snapshot of another session; null to look at the tables as they are now
     */
    public RetainedEvents(SourceConfig source, Since since, @Nullable String snapshot) throws SQLException {
        this.connection = PatientConnection.open(source, "recover-rows");
        try {
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setReadOnly(true);
            try (Statement statement = connection.createStatement()) {
                if (snapshot != null) {
                    statement.execute("SET TRANSACTION SNAPSHOT '" + snapshot + "'");
                }
            }
            long nextXid = Long.parseUnsignedLong(text("SELECT pg_snapshot_xmax(pg_current_snapshot())"));
            String isCandidate = isCandidate(since, nextXid);
            this.touched = isYoung(since, nextXid);
            this.candidates = " FROM (SELECT * FROM tributary.outbox WHERE " + isCandidate
                    + " UNION ALL SELECT * FROM tributary.event_store WHERE " + isCandidate + ") e";
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** Whether ids of transactions tell; otherwise {@link Since#from} does. */
    private static boolean byXid(Since since, long nextXid) {
        return since.xidHorizon != 0 && nextXid - since.xidHorizon < XIDS;
    }

    /** On 32 bits, as rows have them: correct while fewer than 2^32 transactions lie between. */
    private static String isYoung(Since since, long nextXid) {
        if (!byXid(since, nextXid)) {
            return "true";
        }
        return "xmin::text::bigint > 2 AND ((" + (nextXid & (XIDS - 1)) + " - xmin::text::bigint) & " + (XIDS - 1)
                + ") <= " + (nextXid - since.xidHorizon);
    }

    private static String isCandidate(Since since, long nextXid) {
        if (!byXid(since, nextXid)) {
            return since.from == null ? "true" : "occurred_at >= '" + since.from + "'";
        }
        // A row that is billions of transactions old looks young again
        String notAgain = nextXid < XIDS || since.time == null
                ? ""
                : " AND occurred_at >= '" + since.time + "'::timestamptz - " + ALIAS_SPAN;
        return isYoung(since, nextXid) + notAgain;
    }

    /** When the first of them occurred; null if there is none. */
    public @Nullable Instant earliest() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT min(occurred_at)" + candidates)) {
            row.next();
            return instant(row, 1);
        }
    }

    /** Whether the outbox has a row, Kafka's or not, that occurred before then. */
    public boolean outboxReachesBackBefore(Instant time) throws SQLException {
        return text("SELECT EXISTS (SELECT FROM tributary.outbox WHERE occurred_at < '" + time + "')")
                .equals("t");
    }

    /**
     * An event without its content.
     *
     * @param sequence 0 if it has none
     * @param head the aggregate's last sequence; 0 if it has none
     */
    public record EventKey(
            UUID id, String aggregateType, String aggregateId, long sequence, Instant occurredAt, long head) {}

    /** Takes rows as they come. */
    @FunctionalInterface
    public interface Each<T> {
        void row(T row) throws SQLException;
    }

    /** All keys, those of an aggregate one after the other and by sequence. */
    public void keys(Each<EventKey> each) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(KEYS_FETCHED);
            try (ResultSet row = statement.executeQuery("SELECT e.id, e.aggregate_type, e.aggregate_id, e.sequence,"
                    + " e.occurred_at, a.sequence" + candidates + " LEFT JOIN tributary.aggregate a"
                    + " ON a.aggregate_type = e.aggregate_type AND a.aggregate_id = e.aggregate_id"
                    + " ORDER BY e.aggregate_type, e.aggregate_id, e.sequence NULLS LAST, e.id")) {
                while (row.next()) {
                    each.row(key(row, row.getLong(6)));
                }
            }
        }
    }

    /** Events that are set aside, which are not to be published; without their heads. */
    public void setAside(String source, Each<EventKey> each) throws SQLException {
        if (text("SELECT to_regclass('tributary.dead_letter') IS NOT NULL").equals("f")) {
            return;
        }
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT id, aggregate_type, aggregate_id, sequence, occurred_at FROM tributary.dead_letter"
                        + " WHERE source = ? AND released_at IS NULL")) {
            query.setFetchSize(KEYS_FETCHED);
            query.setString(1, source);
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    each.row(key(row, 0));
                }
            }
        }
    }

    /** Of the columns id, aggregate type and id, sequence and time. */
    private static EventKey key(ResultSet row, long head) throws SQLException {
        Instant occurredAt = instant(row, 5);
        return new EventKey(
                row.getObject(1, UUID.class),
                row.getString(2),
                row.getString(3),
                row.getLong(4),
                occurredAt == null ? Instant.EPOCH : occurredAt,
                head);
    }

    /**
     * An aggregate whose head was moved, though none of the events is there.
     *
     * @param head its last sequence
     */
    public record MovedHead(String aggregateType, String aggregateId, long head) {}

    /** Where transaction ids tell nothing, none. */
    public void headsWithoutEvents(Each<MovedHead> each) throws SQLException {
        if (touched.equals("true")) {
            return;
        }
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(KEYS_FETCHED);
            try (ResultSet row =
                    statement.executeQuery("SELECT a.aggregate_type, a.aggregate_id, a.sequence FROM (SELECT"
                            + " * FROM tributary.aggregate WHERE " + touched + ") a WHERE NOT EXISTS (SELECT 1"
                            + candidates
                            + " WHERE e.aggregate_type = a.aggregate_type AND e.aggregate_id = a.aggregate_id"
                            + " AND e.sequence IS NOT NULL)")) {
                while (row.next()) {
                    each.row(new MovedHead(row.getString(1), row.getString(2), row.getLong(3)));
                }
            }
        }
    }

    /**
     * All events, in an order in which each aggregate's come by sequence and, as far as that allows, by time.
     *
     * @param epoch of their positions
     * @param commitLsn of their positions; the ordinal is the row's number, the same each time that this is called
     */
    public void events(int epoch, long commitLsn, Each<OutboxEvent> each) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setFetchSize(ROWS_FETCHED);
            try (ResultSet row = statement.executeQuery("SELECT e.id, e.aggregate_type, e.aggregate_id, e.sequence,"
                    + " e.type, e.content_type, e.payload, e.headers::text, e.occurred_at" + candidates
                    + " ORDER BY max(e.occurred_at) OVER (PARTITION BY e.aggregate_type, e.aggregate_id,"
                    + " e.sequence IS NULL ORDER BY e.sequence, e.occurred_at), e.aggregate_type, e.aggregate_id,"
                    + " e.sequence, e.id")) {
                for (int ordinal = 0; row.next(); ordinal++) {
                    each.row(event(row, new Position(epoch, commitLsn, ordinal)));
                }
            }
        }
    }

    private static OutboxEvent event(ResultSet row, Position position) throws SQLException {
        Instant occurredAt = instant(row, 9);
        Instant at = occurredAt == null ? Instant.EPOCH : occurredAt;
        String headers = row.getString(8);
        return new OutboxEvent(
                position,
                at,
                row.getObject(1, UUID.class),
                row.getString(2),
                utf8(row.getString(3)),
                row.getLong(4),
                utf8(row.getString(5)),
                utf8(row.getString(6)),
                row.getBytes(7),
                headers == null ? null : utf8(headers),
                at);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    private String text(String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}

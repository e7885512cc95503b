package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.ReplicationConnection.NewSlot;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/**
 * A source's history: the rows of its event tables as they were at one moment, aggregate by aggregate and each by sequence;
 * events without a sequence come last, by the time that they occurred. Read with COPY, however many there are. Used by one
 * thread.
 */
public final class HistoryRows implements AutoCloseable {
    private static final String COLUMNS =
            "id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at";
    private static final int COLUMN_COUNT = 9;
    private static final String ORDER = " ORDER BY aggregate_type, aggregate_id, sequence NULLS LAST, occurred_at, id";
    /** Behind all sequences, as {@code NULLS LAST} has it. */
    private static final long NO_SEQUENCE = Long.MAX_VALUE;

    private static final byte[] SIGNATURE = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0};
    private static final short TRAILER = -1;

    private final Connection connection;
    private final HistorySnapshot snapshot;
    private final long nextXid;
    private final String isThere;
    private String isChosen = "true";
    private byte[] lastTypeUtf8 = {};
    private String lastType = "";

    private HistoryRows(Connection connection, HistorySnapshot snapshot, boolean imported) throws SQLException {
        this.connection = connection;
        this.snapshot = snapshot;
        this.nextXid = Long.parseUnsignedLong(text(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())"));
        if (!imported && !snapshot.isLegible(nextXid)) {
            throw new RelayException.Stopped(
                    "too many transactions have run since " + snapshot.takenAt()
                            + " to tell which rows there were then",
                    "begin again, with another topic",
                    null);
        }
        this.isThere = imported ? "true" : "NOT " + snapshot.isLaterSql(nextXid);
    }

    /**
     * Which events; all of them where nothing is said.
     *
     * @param aggregateTypes of these types only; empty for all
     * @param aggregateId of one aggregate only, whose type is the only one of {@code aggregateTypes}; null for all
     * @param since those that occurred then or later
     * @param until those that occurred before
     */
    public record Selection(
            Set<String> aggregateTypes,
            @Nullable String aggregateId,
            @Nullable Instant since,
            @Nullable Instant until) {
        public Selection {
            aggregateTypes = Set.copyOf(aggregateTypes);
        }
    }

    /**
     * Where a row stands in the order.
     *
     * @param sequence 0 if it has none
     */
    public record Place(String aggregateType, String aggregateId, long sequence, Instant occurredAt, UUID id) {
        /** Where an event stands. */
        public static Place of(OutboxEvent event) {
            return new Place(
                    event.aggregateType(),
                    new String(event.aggregateId(), StandardCharsets.UTF_8),
                    event.sequence(),
                    event.occurredAt(),
                    event.id());
        }
    }

    /**
     * As the tables are when a slot could begin, for which it waits until all open transactions have ended.
     *
     * @param waiting told from time to time whom it waits for
     */
    public static HistoryRows atSlot(SourceConfig source, String slot, Consumer<List<String>> waiting)
            throws SQLException {
        Connection connection = open(source);
        // The slot goes with its connection; the snapshot stays with the transaction that has taken it over
        try (ReplicationConnection replication = new ReplicationConnection(source)) {
            int version = connection.getMetaData().getDatabaseMajorVersion();
            NewSlot created =
                    SlotInCreation.await(connection, () -> replication.createTemporarySlot(slot, version), waiting);
            begin(connection);
            execute(connection, "SET TRANSACTION SNAPSHOT '" + created.snapshot() + "'");
            HistorySnapshot snapshot = new HistorySnapshot(
                    created.lsn(), text(connection, "SELECT pg_current_snapshot()"), now(connection));
            return new HistoryRows(connection, snapshot, true);
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** As the tables were at an earlier moment, as far as rows have not been removed since. */
    public static HistoryRows at(SourceConfig source, HistorySnapshot snapshot) throws SQLException {
        Connection connection = open(source);
        try {
            begin(connection);
            return new HistoryRows(connection, snapshot, false);
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** As the tables are now, wherever in the log that is. */
    public static HistoryRows asTheyAre(SourceConfig source) throws SQLException {
        Connection connection = open(source);
        try {
            begin(connection);
            HistorySnapshot snapshot =
                    new HistorySnapshot(0, text(connection, "SELECT pg_current_snapshot()"), now(connection));
            return new HistoryRows(connection, snapshot, true);
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    private static Connection open(SourceConfig source) throws SQLException {
        return PatientConnection.open(source, "replay");
    }

    private static void begin(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setReadOnly(true);
    }

    /** Chooses among them; {@code before} leaves out what was there at an earlier moment. */
    public void choose(Selection selection, @Nullable HistorySnapshot before) throws SQLException {
        // Not before a snapshot is taken over, which has to be the transaction's first statement
        execute(connection, "SET LOCAL standard_conforming_strings = on");
        execute(connection, "SET LOCAL statement_timeout = 0");
        execute(connection, "SET LOCAL idle_in_transaction_session_timeout = 0");
        List<String> conditions = new ArrayList<>();
        conditions.add(isThere);
        if (!selection.aggregateTypes().isEmpty()) {
            conditions.add(selection.aggregateTypes().stream()
                    .map(HistoryRows::literal)
                    .collect(Collectors.joining(", ", "aggregate_type IN (", ")")));
        }
        if (selection.aggregateId() != null) {
            conditions.add("aggregate_id = " + literal(selection.aggregateId()));
        }
        if (selection.since() != null) {
            conditions.add("occurred_at >= " + literal(selection.since().toString()) + "::timestamptz");
        }
        if (selection.until() != null) {
            conditions.add("occurred_at < " + literal(selection.until().toString()) + "::timestamptz");
        }
        if (before != null) {
            if (!before.isLegible(nextXid)) {
                throw new RelayException.Stopped(
                        "too many transactions have run since " + before.takenAt() + " to tell which rows are new",
                        "begin again, with another topic",
                        null);
            }
            conditions.add(before.isLaterSql(nextXid));
        }
        isChosen = String.join(" AND ", conditions);
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    /** The moment that they are of. */
    public HistorySnapshot snapshot() {
        return snapshot;
    }

    /**
     * How many rows there are.
     *
     * @param byType by aggregate type
     * @param sequenced whether all of them have a sequence
     */
    public record Counts(Map<String, Long> byType, boolean sequenced) {
        /** Of all types. */
        public long total() {
            return byType.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    /** Counts the chosen ones. */
    public Counts count() throws SQLException {
        Map<String, Long> counts = new TreeMap<>();
        boolean sequenced = true;
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT aggregate_type, count(*), count(*) = count(sequence) FROM "
                                + chosen("aggregate_type, sequence", "true") + " GROUP BY 1")) {
            while (row.next()) {
                counts.put(row.getString(1), row.getLong(2));
                sequenced &= row.getBoolean(3);
            }
        }
        return new Counts(counts, sequenced);
    }

    private String chosen(String columns, String condition) {
        String where = " WHERE " + isChosen + " AND " + condition;
        return "(SELECT " + columns + " FROM tributary.event_store" + where + " UNION ALL SELECT " + columns
                + " FROM tributary.outbox" + where + ") e";
    }

    /**
     * How many of the chosen ones are not there any more, of those that were when there were {@code expected} behind {@code after}.
     * Keeps the others there until this is closed.
     */
    public long gone(@Nullable Place after, long expected) throws SQLException {
        String behind = after == null ? "true" : behind(after);
        // One that was published twice may have been interrupted between the two
        String again = after == null ? "false" : "id = '" + after.id() + "'";
        String query = "SELECT count(*) FILTER (WHERE " + behind + "), greatest(count(*) FILTER (WHERE " + again
                + ") - 1, 0) FROM " + chosen("aggregate_type, aggregate_id, sequence, occurred_at, id", "true");
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            long left = row.getLong(1);
            return left + row.getLong(2) >= expected ? 0 : expected - left;
        }
    }

    /** Takes events as they come; with no position, which is the replay's to give. */
    public interface Each {
        void event(OutboxEvent event);
    }

    /** All chosen ones, behind {@code after} if that is not null. */
    public void copy(@Nullable Place after, Each each) throws SQLException {
        String rows = "SELECT " + COLUMNS + " FROM " + chosen(COLUMNS, after == null ? "true" : behind(after)) + ORDER;
        CopyOut copy = connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyOut("COPY (" + rows + ") TO STDOUT (FORMAT binary)");
        try {
            boolean first = true;
            for (byte[] message = copy.readFromCopy(); message != null; message = copy.readFromCopy()) {
                ByteBuffer row = ByteBuffer.wrap(message);
                if (first) {
                    skipHeader(row);
                    first = false;
                }
                if (row.hasRemaining() && row.getShort(row.position()) != TRAILER) {
                    each.event(event(row));
                }
            }
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    private static String behind(Place place) {
        long sequence = place.sequence() == 0 ? NO_SEQUENCE : place.sequence();
        String type = literal(place.aggregateType());
        String id = literal(place.aggregateId());
        return "(aggregate_type, aggregate_id) >= (" + type + ", " + id + ") AND NOT (aggregate_type = " + type
                + " AND aggregate_id = " + id + " AND (coalesce(sequence, " + NO_SEQUENCE + "), occurred_at, id) <= ("
                + sequence + ", " + literal(place.occurredAt().toString()) + "::timestamptz, '" + place.id()
                + "'::uuid))";
    }

    /** @see <a href="https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT">the binary format</a> */
    private static void skipHeader(ByteBuffer message) {
        byte[] signature = new byte[SIGNATURE.length];
        message.get(signature);
        GarbledMessage.unless(java.util.Arrays.equals(signature, SIGNATURE), "signature of COPY");
        message.getInt();
        int extension = message.getInt();
        message.position(message.position() + extension);
    }

    private OutboxEvent event(ByteBuffer row) {
        GarbledMessage.unless(row.getShort() == COLUMN_COUNT, "columns");
        GarbledMessage.unless(row.getInt() == 2 * Long.BYTES, "uuid");
        UUID id = new UUID(row.getLong(), row.getLong());
        String aggregateType = repeated(bytes(row));
        byte[] aggregateId = bytes(row);
        long sequence = row.getInt() < 0 ? 0 : row.getLong();
        byte[] type = bytes(row);
        byte[] contentType = bytes(row);
        byte[] payload = bytes(row);
        byte[] headers = bytesOrNull(row);
        GarbledMessage.unless(row.getInt() == Long.BYTES, "timestamp");
        Instant occurredAt = TupleReader.instant(row.getLong());
        return new OutboxEvent(
                Position.START,
                occurredAt,
                id,
                aggregateType,
                aggregateId,
                sequence,
                type,
                contentType,
                payload,
                headers,
                occurredAt);
    }

    /** Most rows have the type of the row before. */
    private String repeated(byte[] utf8) {
        if (!java.util.Arrays.equals(utf8, lastTypeUtf8)) {
            lastTypeUtf8 = utf8;
            lastType = new String(utf8, StandardCharsets.UTF_8);
        }
        return lastType;
    }

    private static byte[] bytes(ByteBuffer row) {
        byte[] bytes = bytesOrNull(row);
        if (bytes == null) {
            throw new GarbledMessage("null", null);
        }
        return bytes;
    }

    private static byte @Nullable [] bytesOrNull(ByteBuffer row) {
        int length = row.getInt();
        if (length < 0) {
            return null;
        }
        GarbledMessage.unless(length <= row.remaining(), "length");
        byte[] bytes = new byte[length];
        row.get(bytes);
        return bytes;
    }

    private static Instant now(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT clock_timestamp()");
                ResultSet row = query.executeQuery()) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    private static String text(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}

package dev.tributary.consumer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.outbox.wire.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's row in {@code tributary.subscription_position}: how far the view is, and who may move it. The row is
 * locked for the length of each batch's transaction, so a claim and a batch never overlap.
 */
final class PositionStore {
    private static final Logger LOG = LoggerFactory.getLogger(PositionStore.class);
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String ROW = " WHERE subscription = ? AND topic = ? AND topic_partition = ?";
    /** The fence: whoever is not the owner any more finds no row. */
    private static final String OWNED = ROW + " AND owner = ? AND next_offset = ?";

    private static final String INSTANCE =
            ProcessHandle.current().pid() + "@" + Objects.requireNonNullElse(System.getenv("HOSTNAME"), "localhost");
    private static final JsonMapper JSON = new JsonMapper();

    private final String subscription;
    private final TopicPartition partition;
    private final Timeouts timeouts;
    private final @Nullable String schema;

    /** @param schema where batches look up bare table names; null for the connection's own search path */
    PositionStore(String subscription, TopicPartition partition, Timeouts timeouts, @Nullable String schema) {
        this.subscription = subscription;
        this.partition = partition;
        this.timeouts = timeouts;
        this.schema = schema;
    }

    static PositionStore of(SubscriptionConfig config, TopicPartition partition) {
        Feed feed = config.feed();
        return new PositionStore(config.name(), partition, config.timeouts(), feed == null ? null : feed.schema());
    }

    /** How far the view is. */
    record Progress(long nextOffset, Map<String, Position> positions) {}

    /**
     * The right to move the row, until the next claim.
     *
     * @param lostFrom set by {@link #rememberLoss}; null again as soon as the position has been moved
     */
    record Claim(
            UUID owner,
            String topicId,
            Progress progress,
            @Nullable Long lostFrom) {}

    /**
     * Takes the row from whoever has it, waiting for his transaction to end, but not for longer than the time-out: then
     * his database session is ended, because Kafka has already given the partition away.
     *
     * @param topicId remembered, with {@code startOffset}, if there is no row yet
     * @throws SQLException 55P03 if the old owner's transaction was in the way; worth trying again
     */
    Claim claim(Connection connection, String topicId, long startOffset) throws SQLException {
        UUID owner = UUID.randomUUID();
        connection.setAutoCommit(false);
        try (Statement setting = connection.createStatement()) {
            setting.execute("SET LOCAL lock_timeout = '" + timeouts.takeover().toMillis() + "ms'");
        }
        try (PreparedStatement claim = connection.prepareStatement(
                "INSERT INTO tributary.subscription_position AS p"
                        + " (subscription, topic, topic_partition, topic_id, owner, instance, next_offset)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subscription, topic, topic_partition) DO UPDATE"
                        + " SET owner = EXCLUDED.owner, instance = EXCLUDED.instance, updated_at = now()"
                        + " RETURNING topic_id, next_offset, positions, CASE WHEN upper(lost) = next_offset THEN lower(lost) END")) {
            setRow(claim, 1);
            claim.setString(4, topicId);
            claim.setObject(5, owner);
            claim.setString(6, INSTANCE);
            claim.setLong(7, startOffset);
            Claim claimed;
            try (ResultSet row = claim.executeQuery()) {
                row.next();
                Progress progress = new Progress(row.getLong(2), positions(row.getString(3)));
                claimed = new Claim(owner, row.getString(1), progress, row.getObject(4, Long.class));
            }
            connection.commit();
            return claimed;
        } catch (SQLException e) {
            if (LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                connection.rollback();
                endHolder(connection);
            }
            throw e;
        }
    }

    /**
     * Begins a batch's transaction by moving the position to where it will be at the end of it, which keeps everybody else
     * from the row until then: false if the claim is no longer the owner, or someone has moved the position.
     */
    boolean advance(Connection connection, Claim claim, Progress from, Progress to) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement update = connection.prepareStatement("UPDATE tributary.subscription_position"
                + " SET next_offset = ?, positions = ?::jsonb, updated_at = now(), lost = NULL" + OWNED + " RETURNING "
                + settings())) {
            update.setLong(1, to.nextOffset());
            update.setString(2, json(to.positions()));
            setOwned(update, 3, claim, from);
            update.setString(8, timeouts.idleInTransaction().toMillis() + "ms");
            try (ResultSet row = update.executeQuery()) {
                return row.next();
            }
        }
    }

    /** Whether {@link #advance} would succeed now. */
    boolean isAt(Connection connection, Claim claim, Progress progress) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT FROM tributary.subscription_position" + OWNED)) {
            setOwned(query, 1, claim, progress);
            try (ResultSet row = query.executeQuery()) {
                return row.next();
            }
        }
    }

    /**
     * What holds for this transaction. Who has given up an answer leaves a session that waits, and holds this row: locks are
     * given up by the server before, unless it has been told when.
     */
    private String settings() {
        long lockMax = timeouts.database().toMillis() * 9 / 10;
        return "set_config('idle_in_transaction_session_timeout', ?, true)"
                + (lockMax == 0
                        ? ""
                        : ", CASE current_setting('lock_timeout') WHEN '0' THEN set_config('lock_timeout', '" + lockMax
                                + "ms', true) END")
                + (schema == null ? "" : ", set_config('search_path', '" + schema + "', true)");
    }

    /**
     * Begins a transaction that keeps the owner's batches out; false if there is no such position. The row is written, not
     * only locked: a batch that waits for it above READ COMMITTED would go on with what it saw before, and now fails instead.
     */
    boolean lock(Connection connection) throws SQLException {
        try (PreparedStatement lock =
                connection.prepareStatement("UPDATE tributary.subscription_position SET next_offset = next_offset" + ROW
                        + " RETURNING " + settings())) {
            setRow(lock, 1);
            lock.setString(4, timeouts.idleInTransaction().toMillis() + "ms");
            try (ResultSet row = lock.executeQuery()) {
                return row.next();
            }
        }
    }

    /** Undoes a claim that could not begin, so that another one may begin elsewhere. */
    void giveBack(Connection connection, Claim claim) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM tributary.subscription_position" + OWNED)) {
            setOwned(delete, 1, claim, claim.progress());
            delete.executeUpdate();
        }
        connection.commit();
    }

    /** Keeps in mind, for later claims too, that Kafka has not all that the view has read from {@code from} on. */
    void rememberLoss(Connection connection, Claim claim, long from) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.subscription_position SET lost = int8range(?, next_offset)" + OWNED)) {
            update.setLong(1, from);
            setOwned(update, 2, claim, claim.progress());
            update.executeUpdate();
        }
        connection.commit();
    }

    /** The row's lock is marked in the row by its holder's transaction id, and that leads to his session. */
    private void endHolder(Connection connection) throws SQLException {
        try (PreparedStatement terminate = connection.prepareStatement(
                "SELECT l.pid, pg_terminate_backend(l.pid) FROM tributary.subscription_position p"
                        + " JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.granted"
                        + " AND l.mode = 'ExclusiveLock' AND l.transactionid = p.xmax" + ROW)) {
            setRow(terminate, 1);
            try (ResultSet holders = terminate.executeQuery()) {
                while (holders.next()) {
                    LOG.warn(
                            "{} {}: ended database session {}, whose transaction still held the partition {} after"
                                    + " it was given to this instance",
                            subscription,
                            partition,
                            holders.getInt(1),
                            timeouts.takeover());
                }
            }
            connection.commit();
        } catch (SQLException e) {
            // Not the same role, for example. The session's own idle time-out ends it, only later.
            LOG.warn("{} {}: cannot end the old owner's database session", subscription, partition, e);
        }
    }

    /** What an operator runs to go on at another place. */
    String sqlToGoOnAt(long offset) {
        return sqlToSet("next_offset = " + offset + ", lost = NULL");
    }

    /** What an operator runs to accept a recreated topic from its beginning. */
    String sqlToAccept(String topicId) {
        return sqlToSet("topic_id = '" + topicId + "', next_offset = 0");
    }

    private String sqlToSet(String change) {
        return "UPDATE tributary.subscription_position SET " + change + " WHERE subscription = '"
                + subscription.replace("'", "''") + "' AND topic = '" + partition.topic() + "' AND topic_partition = "
                + partition.partition();
    }

    private void setOwned(PreparedStatement statement, int first, Claim claim, Progress at) throws SQLException {
        setRow(statement, first);
        statement.setObject(first + 3, claim.owner());
        statement.setLong(first + 4, at.nextOffset());
    }

    private void setRow(PreparedStatement statement, int first) throws SQLException {
        statement.setString(first, subscription);
        statement.setString(first + 1, partition.topic());
        statement.setInt(first + 2, partition.partition());
    }

    private static Map<String, Position> positions(String json) throws SQLException {
        try {
            Map<String, Position> positions = new TreeMap<>();
            JSON.readValue(json, new TypeReference<Map<String, String>>() {})
                    .forEach((source, text) -> positions.put(source, Position.parse(text)));
            return Map.copyOf(positions);
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new SQLException("tributary.subscription_position.positions cannot be read: " + json, e);
        }
    }

    static String json(Map<String, Position> positions) throws SQLException {
        try {
            Map<String, String> texts = new TreeMap<>();
            positions.forEach((source, position) -> texts.put(source, position.toString()));
            return JSON.writeValueAsString(texts);
        } catch (JsonProcessingException e) {
            throw new SQLException("positions cannot be written", e);
        }
    }
}

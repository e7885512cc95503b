package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last sequence applied of each aggregate of a partition: in memory, and in {@code tributary.aggregate_sequence} as
 * a journal. Each batch adds what it changes, in its own transaction; once as much has been added as there was, the
 * journal is written anew. So an event costs some 30 bytes of writing, and no row of its own.
 *
 * <p>Knows the aggregates that have had events lately. For one that it has forgotten, or never known, no sequence is a
 * surprise.
 *
 * <p>Not thread-safe. Used with the position's row locked, so nobody else writes meanwhile.
 */
final class PartitionSequences {
    private static final Logger LOG = LoggerFactory.getLogger(PartitionSequences.class);
    /** Small changes share a row up to this size, which PostgreSQL still keeps in one piece. */
    private static final int SHARED_ROW_BYTES_MAX = 1_900;

    private static final int REWRITE_BYTES_MIN = 256 << 10;
    private static final String OF_PARTITION = " WHERE subscription = ? AND topic = ? AND topic_partition = ?";

    private final String subscription;
    private final TopicPartition partition;
    private final int generationMax;
    private final @Nullable HistorySequences before;
    private LastSequences ofHistory = HistorySequences.NONE;
    private LastSequences recent = new LastSequences();
    private LastSequences older = new LastSequences();
    private final LastSequences changes = new LastSequences();
    private Journal journal = Journal.EMPTY;
    private Journal written = Journal.EMPTY;
    private @Nullable Event<?> keyed;
    private long key;
    /** Whether something was learnt in a transaction that has not been committed yet. */
    private boolean learnt;

    /** The journal as it is in the database. */
    private static final class Journal {
        static final Journal EMPTY = new Journal(0, new byte[0], 0, 0);

        private final long lastRow;
        /** The last row's content, if changes may be added to it; empty to begin another row. */
        private final byte[] shared;

        private final long bytes;
        private final long bytesWhenRewritten;

        Journal(long lastRow, byte[] shared, long bytes, long bytesWhenRewritten) {
            this.lastRow = lastRow;
            this.shared = shared;
            this.bytes = bytes;
            this.bytesWhenRewritten = bytesWhenRewritten;
        }

        boolean isDue() {
            return bytes - bytesWhenRewritten >= Math.max(REWRITE_BYTES_MIN, bytesWhenRewritten);
        }
    }

    /**
     * @param knownMax how many aggregates to know at most, besides those of history
     * @param before what its first events have to go on from; null if from nothing
     */
    PartitionSequences(String subscription, TopicPartition partition, int knownMax, @Nullable HistorySequences before) {
        this.subscription = subscription;
        this.partition = partition;
        this.generationMax = Math.max(1, knownMax / 2);
        this.before = before;
    }

    /** Forgets what is in memory for what is in the database. */
    void load(Connection connection) throws SQLException {
        forget();
        learn(connection);
        learnt = false;
        ofHistory = before == null ? HistorySequences.NONE : before.load(connection);
        begin();
    }

    private void forget() {
        recent = new LastSequences();
        older = new LastSequences();
        journal = Journal.EMPTY;
        learnt = false;
    }

    /**
     * Learns what others have written since. If what was learnt last did not come with a commit, all is learnt anew: the
     * database may have been put back to what it was before.
     */
    void refresh(Connection connection) throws SQLException {
        if (learnt) {
            forget();
        }
        learn(connection);
    }

    private void learn(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT row_number, data"
                + " FROM tributary.aggregate_sequence" + OF_PARTITION + " AND row_number > ? ORDER BY row_number")) {
            setPartition(query, 1);
            query.setLong(4, journal.lastRow);
            try (ResultSet row = query.executeQuery()) {
                while (row.next()) {
                    byte[] data = row.getBytes(2);
                    recent.decode(data);
                    learnt = true;
                    forgetOldest();
                    // Not to be written anew for nothing but that it was read: what it would have then is known about
                    long bytesIfRewritten = recent.encodedBytesMin() + older.encodedBytesMin();
                    journal = new Journal(row.getLong(1), new byte[0], journal.bytes + data.length, bytesIfRewritten);
                }
            }
        }
    }

    /** Begins a transaction, or begins it again. */
    void begin() {
        changes.clear();
    }

    /** The sequence of the aggregate's last event; 0 if not known. */
    long last(Event<?> event) {
        long last = lastHere(event);
        return last == 0 ? ofHistory.get(key(event)) : last;
    }

    /** Whether that is a replayed event, and this one the first behind history. */
    boolean isLastOfHistory(Event<?> event) {
        return lastHere(event) == 0 && ofHistory.get(key(event)) > 0;
    }

    private long lastHere(Event<?> event) {
        long of = key(event);
        long last = changes.get(of);
        last = last == 0 ? recent.get(of) : last;
        return last == 0 ? older.get(of) : last;
    }

    @SuppressWarnings("ReferenceEquality") // the very one that was asked about last
    private long key(Event<?> event) {
        if (keyed != event) {
            keyed = event;
            key = LastSequences.key(event);
        }
        return key;
    }

    /** An event with a sequence, of an aggregate at {@code last}, has been applied. Late ones do not count back. */
    void applied(Event<?> event, long last) {
        changes.put(key(event), Math.max(Objects.requireNonNull(event.sequence()), last));
    }

    /** Writes what has been applied since {@link #begin}. */
    void write(Connection connection) throws SQLException {
        written = journal;
        if (changes.size() == 0) {
            return;
        }
        if (journal.isDue()) {
            rewrite(connection);
            return;
        }
        byte[] added = changes.encode();
        long bytes = journal.bytes + added.length;
        if (journal.shared.length > 0 && journal.shared.length + added.length <= SHARED_ROW_BYTES_MAX) {
            byte[] both = new byte[journal.shared.length + added.length];
            System.arraycopy(journal.shared, 0, both, 0, journal.shared.length);
            System.arraycopy(added, 0, both, journal.shared.length, added.length);
            update(connection, both);
            written = new Journal(journal.lastRow, both, bytes, journal.bytesWhenRewritten);
        } else {
            insert(connection, journal.lastRow + 1, added);
            written = new Journal(journal.lastRow + 1, added, bytes, journal.bytesWhenRewritten);
        }
    }

    /** What was written is committed. */
    void committed() {
        recent.putAll(changes);
        learnt = false;
        journal = written;
        forgetOldest();
        begin();
    }

    private void forgetOldest() {
        if (recent.size() >= generationMax) {
            if (older.size() > 0) {
                LOG.debug("{} {}: forgets the sequences of {} aggregates", subscription, partition, older.size());
            }
            older = recent;
            recent = new LastSequences();
        }
    }

    private void rewrite(Connection connection) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("DELETE FROM tributary.aggregate_sequence" + OF_PARTITION)) {
            setPartition(delete, 1);
            delete.executeUpdate();
        }
        long row = journal.lastRow;
        long bytes = 0;
        for (LastSequences each : new LastSequences[] {older, recent, changes}) {
            if (each.size() > 0) {
                byte[] data = each.encode();
                bytes += data.length;
                insert(connection, ++row, data);
            }
        }
        written = new Journal(row, new byte[0], bytes, bytes);
    }

    private void insert(Connection connection, long row, byte[] data) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.aggregate_sequence"
                + " (subscription, topic, topic_partition, row_number, data) VALUES (?, ?, ?, ?, ?)")) {
            setPartition(insert, 1);
            insert.setLong(4, row);
            insert.setBytes(5, data);
            insert.executeUpdate();
        }
    }

    private void update(Connection connection, byte[] data) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE tributary.aggregate_sequence SET data = ?" + OF_PARTITION + " AND row_number = ?")) {
            update.setBytes(1, data);
            setPartition(update, 2);
            update.setLong(5, journal.lastRow);
            update.executeUpdate();
        }
    }

    /** Tells the partition's owner, whoever that is, of an aggregate that was applied elsewhere. */
    static void tell(
            Connection connection, String subscription, TopicPartition partition, Aggregate aggregate, long last)
            throws SQLException {
        LastSequences one = new LastSequences();
        one.put(LastSequences.key(aggregate), last);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO tributary.aggregate_sequence"
                + " (subscription, topic, topic_partition, row_number, data)"
                + " SELECT ?, ?, ?, coalesce(max(row_number), 0) + 1, ? FROM tributary.aggregate_sequence"
                + OF_PARTITION)) {
            insert.setString(1, subscription);
            insert.setString(2, partition.topic());
            insert.setInt(3, partition.partition());
            insert.setBytes(4, one.encode());
            insert.setString(5, subscription);
            insert.setString(6, partition.topic());
            insert.setInt(7, partition.partition());
            insert.executeUpdate();
        }
    }

    private void setPartition(PreparedStatement statement, int first) throws SQLException {
        statement.setString(first, subscription);
        statement.setString(first + 1, partition.topic());
        statement.setInt(first + 2, partition.partition());
    }
}

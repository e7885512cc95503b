package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.RelationLayout.SentColumn;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decodes pgoutput, protocol version 1: a transaction arrives whole, after it committed, as Begin, changes, Commit.
 *
 * @see <a href="https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html">Logical replication
 *     message formats</a>
 */
final class PgOutputDecoder {
    private final SourceConfig source;
    private final int epoch;
    private final OutboxLayout layout;
    private final byte[] contentType;
    private final Map<Integer, RelationLayout> eventTables = new HashMap<>();
    private final Set<Integer> otherTables = new HashSet<>();
    private final TupleReader tuple = new TupleReader();

    private boolean inTransaction;
    private long commitLsn;
    private int ordinal;
    private Instant committedAt = Instant.EPOCH;

    /** Starts anew with every connection: the server repeats each table's layout before its first change. */
    PgOutputDecoder(SourceConfig source, int epoch) {
        this.source = source;
        this.epoch = epoch;
        this.layout = source.layout();
        this.contentType = layout.contentType().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a Begin has come and its Commit has not. */
    boolean inTransaction() {
        return inTransaction;
    }

    /** Where the transaction of the last Begin has committed. */
    long commitLsn() {
        return commitLsn;
    }

    void decode(ByteBuffer message, ChangeListener listener) {
        char kind = (char) message.get();
        switch (kind) {
            case 'B' -> begin(message);
            case 'C' -> commit(message, listener);
            case 'R' -> relation(message);
            case 'I' -> insert(message, listener);
            case 'U', 'T' -> refuse(message, kind);
            case 'D', 'O', 'Y', 'M' -> {} // retention deletes rows; origins, types and messages say nothing of events
            default ->
                throw new RelayException.Stopped(
                        "the server sent a message of unknown kind '" + kind + "'",
                        "this server speaks a pgoutput that the relay does not know; upgrade the relay",
                        null);
        }
    }

    private void begin(ByteBuffer message) {
        commitLsn = message.getLong();
        committedAt = TupleReader.instant(message.getLong());
        ordinal = 0;
        inTransaction = true;
    }

    private void commit(ByteBuffer message, ChangeListener listener) {
        message.get(); // flags, unused
        message.getLong(); // the commit record's LSN, known since Begin
        long endLsn = message.getLong();
        inTransaction = false;
        listener.committed(endLsn, committedAt);
    }

    private void relation(ByteBuffer message) {
        int id = message.getInt();
        String table = string(message) + "." + string(message);
        message.get(); // replica identity
        int columns = message.getShort();
        List<SentColumn> sent = new ArrayList<>(columns);
        for (int i = 0; i < columns; i++) {
            message.get(); // key flag
            sent.add(new SentColumn(string(message), message.getInt()));
            message.getInt(); // type modifier
        }
        if (layout.tables().contains(table)) {
            eventTables.put(id, RelationLayout.of(layout, table, sent));
        } else {
            otherTables.add(id); // among them the partitions, whose layouts come beside their root's
        }
    }

    private void insert(ByteBuffer message, ChangeListener listener) {
        RelationLayout table = eventTable(message.getInt());
        if (table == null) {
            return;
        }
        message.get(); // 'N': new row follows
        tuple.read(table, message);
        listener.event(event(table, new Position(epoch, commitLsn, ordinal++)));
    }

    private OutboxEvent event(RelationLayout table, Position position) {
        try {
            return new OutboxEvent(
                    position,
                    committedAt,
                    tuple.uuid(EventColumn.ID),
                    tuple.repeatedText(EventColumn.AGGREGATE_TYPE),
                    tuple.utf8(EventColumn.AGGREGATE_ID),
                    tuple.bigintOrZero(EventColumn.SEQUENCE),
                    tuple.utf8(EventColumn.TYPE),
                    tuple.utf8Or(EventColumn.CONTENT_TYPE, contentType),
                    tuple.payload(),
                    tuple.headers(),
                    tuple.timestampOr(EventColumn.OCCURRED_AT, committedAt));
        } catch (IllegalArgumentException | DateTimeException e) {
            throw new RelayException.Stopped(
                    "the row of " + table.table() + " at " + position + " is no event: " + e.getMessage(),
                    "id must be a UUID, and times must lie between the years 1 and 9999; see docs/operating.md",
                    e);
        }
    }

    private void refuse(ByteBuffer message, char kind) {
        int relations = kind == 'T' ? message.getInt() : 1;
        if (kind == 'T') {
            message.get(); // options
        }
        for (int i = 0; i < relations; i++) {
            RelationLayout table = eventTable(message.getInt());
            if (table != null) {
                ForeignChange.refuse(source, kind == 'T' ? "TRUNCATE" : "UPDATE", table.table(), commitLsn);
            }
        }
    }

    private @Nullable RelationLayout eventTable(int id) {
        RelationLayout layout = eventTables.get(id);
        if (layout == null && !otherTables.contains(id)) {
            throw new RelayException("the server sent a change of a table it has not described", "", null);
        }
        return layout;
    }

    private static String string(ByteBuffer message) {
        int start = message.position();
        int end = start;
        while (message.get(end) != 0) {
            end++;
        }
        byte[] bytes = new byte[end - start];
        message.get(bytes);
        message.get(); // the terminating zero
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

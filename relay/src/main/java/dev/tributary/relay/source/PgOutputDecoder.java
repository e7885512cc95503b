package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.RelationLayout.Column;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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
    private static final Set<String> EVENT_TABLES = Set.of("tributary.outbox", "tributary.event_store");

    private final int epoch;
    private final Map<Integer, RelationLayout> eventTables = new HashMap<>();
    private final Set<Integer> otherTables = new HashSet<>();
    private final TupleReader tuple = new TupleReader();

    private boolean inTransaction;
    private long commitLsn;
    private int ordinal;
    private Instant committedAt = Instant.EPOCH;

    /** Starts anew with every connection: the server repeats each table's layout before its first change. */
    PgOutputDecoder(int epoch) {
        this.epoch = epoch;
    }

    /** Whether a Begin has come and its Commit has not. */
    boolean inTransaction() {
        return inTransaction;
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
        List<String> names = new ArrayList<>(columns);
        for (int i = 0; i < columns; i++) {
            message.get(); // key flag
            names.add(string(message));
            message.getInt(); // type
            message.getInt(); // type modifier
        }
        if (EVENT_TABLES.contains(table)) {
            eventTables.put(id, RelationLayout.of(table, names));
        } else {
            otherTables.add(id); // among them the partitions, whose layouts come beside their root's
        }
    }

    private void insert(ByteBuffer message, ChangeListener listener) {
        RelationLayout layout = eventTable(message.getInt());
        if (layout == null) {
            return;
        }
        message.get(); // 'N': new row follows
        tuple.read(layout, message);
        listener.event(new OutboxEvent(
                new Position(epoch, commitLsn, ordinal++),
                committedAt,
                tuple.uuid(Column.ID),
                tuple.repeatedText(Column.AGGREGATE_TYPE),
                tuple.utf8(Column.AGGREGATE_ID),
                tuple.bigintOrZero(Column.SEQUENCE),
                tuple.utf8(Column.TYPE),
                tuple.utf8(Column.CONTENT_TYPE),
                tuple.bytea(Column.PAYLOAD),
                tuple.utf8OrNull(Column.HEADERS),
                tuple.timestamp(Column.OCCURRED_AT)));
    }

    private void refuse(ByteBuffer message, char kind) {
        int relations = kind == 'T' ? message.getInt() : 1;
        if (kind == 'T') {
            message.get(); // options
        }
        for (int i = 0; i < relations; i++) {
            RelationLayout layout = eventTable(message.getInt());
            if (layout != null) {
                throw new RelayException.Stopped(
                        (kind == 'T' ? "TRUNCATE" : "UPDATE") + " on " + layout.table()
                                + " came through the publication: events are immutable",
                        "let the publication send inserts only: ALTER PUBLICATION tributary SET (publish = 'insert')",
                        null);
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

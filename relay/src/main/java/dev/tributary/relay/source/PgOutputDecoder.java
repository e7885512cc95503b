package dev.tributary.relay.source;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.RelationLayout.SentColumn;
import java.nio.BufferUnderflowException;
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
    private long endLsn;
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

    /**
     * Reads one message.
     *
     * @throws RelayException if it cannot be read, or says something that must not be; {@code listener} has not heard it
     */
    void decode(ByteBuffer message, ChangeListener listener) {
        char kind = message.hasRemaining() ? (char) message.get() : 0;
        OutboxEvent event;
        try {
            event = read(kind, message);
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new GarbledMessage("too short, of kind " + kind, e);
        }
        if (event != null) {
            listener.event(event);
        } else if (kind == 'C') {
            listener.committed(endLsn, committedAt);
        }
    }

    private @Nullable OutboxEvent read(char kind, ByteBuffer message) {
        switch (kind) {
            case 'B' -> begin(message);
            case 'C' -> commit(message);
            case 'R' -> relation(message);
            case 'I' -> {
                return insert(message);
            }
            case 'U', 'T' -> refuse(message, kind);
            case 'D' -> delete(message);
            case 'O' -> origin(message);
            case 'Y' -> type(message);
            default ->
                throw new RelayException.Stopped(
                        "the server sent a message of unknown kind '" + kind + "'",
                        "this server speaks a pgoutput that the relay does not know; upgrade the relay",
                        null);
        }
        return null;
    }

    private void begin(ByteBuffer message) {
        GarbledMessage.unless(!inTransaction, "Begin within a transaction");
        commitLsn = message.getLong();
        committedAt = TupleReader.instant(message.getLong());
        message.getInt(); // the transaction's id
        endOf(message);
        ordinal = 0;
        inTransaction = true;
    }

    private void commit(ByteBuffer message) {
        message.get(); // flags, unused
        GarbledMessage.unless(inTransaction && message.getLong() == commitLsn, "Commit of another transaction");
        endLsn = message.getLong();
        GarbledMessage.unless(Long.compareUnsigned(endLsn, commitLsn) > 0, "end of Commit before its start");
        GarbledMessage.unless(TupleReader.instant(message.getLong()).equals(committedAt), "time of Commit");
        endOf(message);
        inTransaction = false;
    }

    /** Retention deletes rows. */
    private void delete(ByteBuffer message) {
        eventTable(message.getInt());
        byte row = message.get();
        GarbledMessage.unless(row == 'K' || row == 'O', "no old row");
    }

    /** Says nothing of events, and is read to see that it is one; so is a type. */
    private static void origin(ByteBuffer message) {
        message.getLong();
        string(message);
        endOf(message);
    }

    private static void type(ByteBuffer message) {
        message.getInt();
        string(message);
        string(message);
        endOf(message);
    }

    private static void endOf(ByteBuffer message) {
        GarbledMessage.unless(!message.hasRemaining(), "more than was expected");
    }

    private void relation(ByteBuffer message) {
        int id = message.getInt();
        String table = string(message) + "." + string(message);
        message.get(); // replica identity
        int columns = message.getShort();
        GarbledMessage.unless(columns >= 0 && columns <= message.remaining(), "columns of " + table);
        List<SentColumn> sent = new ArrayList<>(columns);
        for (int i = 0; i < columns; i++) {
            message.get(); // key flag
            sent.add(new SentColumn(string(message), message.getInt()));
            message.getInt(); // type modifier
        }
        endOf(message);
        if (layout.tables().contains(table)) {
            eventTables.put(id, RelationLayout.of(layout, table, sent));
        } else {
            otherTables.add(id); // among them the partitions, whose layouts come beside their root's
        }
    }

    private @Nullable OutboxEvent insert(ByteBuffer message) {
        GarbledMessage.unless(inTransaction, "change outside of a transaction");
        RelationLayout table = eventTable(message.getInt());
        if (table == null) {
            return null;
        }
        GarbledMessage.unless(message.get() == 'N', "no new row");
        tuple.read(table, message);
        endOf(message);
        return event(table, new Position(epoch, commitLsn, ordinal++));
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
            GarbledMessage.unless(relations > 0 && relations <= message.remaining() / 4, "tables");
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
            throw new GarbledMessage("a change of a table that was not described", null);
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

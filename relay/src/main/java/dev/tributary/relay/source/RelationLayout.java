package dev.tributary.relay.source;

import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.flow.RelayException;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where an event table's columns stand in its rows. Columns are found by name, so their order is free and further
 * columns are no harm.
 *
 * @param index the columns' places; without those that the table does not have
 * @param headers the further columns that become headers: their places, by the headers' names
 * @param payloadIsBytea whether the payload is bytes and not text
 * @param columns how many there are in all
 */
record RelationLayout(
        String table,
        Map<EventColumn, Integer> index,
        Map<String, Integer> headers,
        boolean payloadIsBytea,
        int columns) {
    private static final int BYTEA = 17;
    private static final int TEXT = 25;
    private static final int VARCHAR = 1043;

    /** What can be read in binary, by object id; in other columns of Tributary's tables the bytes would mean other things. */
    private static final Map<EventColumn, Map<Integer, String>> OWN_TYPES = new EnumMap<>(Map.of(
            EventColumn.ID, Map.of(2950, "uuid"),
            EventColumn.SEQUENCE, Map.of(20, "bigint"),
            EventColumn.PAYLOAD, Map.of(BYTEA, "bytea"),
            EventColumn.HEADERS, Map.of(114, "json"),
            EventColumn.OCCURRED_AT, Map.of(1184, "timestamptz")));

    private static final Map<Integer, String> TEXTS = Map.of(TEXT, "text", VARCHAR, "text");

    /**
     * A column as the server describes it.
     *
     * @param type the object id of its type
     */
    record SentColumn(String name, int type) {}

    /**
     * Finds what {@code wanted} names.
     *
     * @throws RelayException.Stopped if it is not there, or cannot be read
     */
    static RelationLayout of(OutboxLayout wanted, String table, List<SentColumn> columns) {
        Map<EventColumn, Integer> index = new EnumMap<>(EventColumn.class);
        List<String> names = columns.stream().map(SentColumn::name).toList();
        wanted.columns().forEach((column, name) -> {
            int at = find(table, names, name);
            index.put(column, at);
            if (wanted.isOwn()) {
                checkType(table, column, columns.get(at));
            }
        });
        Map<String, Integer> headers = new LinkedHashMap<>();
        wanted.headers().forEach((name, header) -> headers.put(header, find(table, names, name)));
        int payload = index.getOrDefault(EventColumn.PAYLOAD, -1);
        return new RelationLayout(table, index, headers, columns.get(payload).type() == BYTEA, columns.size());
    }

    private static int find(String table, List<String> names, String name) {
        int at = names.indexOf(name);
        if (at < 0) {
            throw new RelayException.Stopped(
                    "table " + table + " has no column " + name + "; it has " + names,
                    "restore the column (`init --dry-run` prints Tributary's tables) or correct its name in the"
                            + " configuration, then restart the relay; events of before the change are read as they were",
                    null);
        }
        return at;
    }

    private static void checkType(String table, EventColumn column, SentColumn sent) {
        Map<Integer, String> types = OWN_TYPES.getOrDefault(column, TEXTS);
        if (!types.containsKey(sent.type())) {
            throw new RelayException.Stopped(
                    "column " + sent.name() + " of table " + table + " is no "
                            + types.values().iterator().next() + " any more (its type has oid " + sent.type() + ")",
                    "give the column its type back, then restart the relay; what was written meanwhile cannot be read",
                    null);
        }
    }

    /** -1 if the table has no such column. */
    int indexOf(EventColumn column) {
        return index.getOrDefault(column, -1);
    }
}

package dev.tributary.relay.config;

import dev.tributary.relay.config.OutboxLayout.Kind;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/** Reads a source's {@code layout} and the keys that go with it, which are named as Debezium's outbox router has them. */
final class LayoutKeys {
    private static final String LAYOUT = "layout";
    private static final String TABLE = "table";
    private static final String CONTENT_TYPE = "content.type";
    private static final String PLACEMENT = "table.fields.additional.placement";
    private static final Map<String, EventColumn> COLUMNS = Map.of(
            "table.field.event.id", EventColumn.ID,
            "table.field.event.key", EventColumn.AGGREGATE_ID,
            "table.field.event.type", EventColumn.TYPE,
            "table.field.event.payload", EventColumn.PAYLOAD,
            "table.field.event.timestamp", EventColumn.OCCURRED_AT,
            "route.by.field", EventColumn.AGGREGATE_TYPE);

    private LayoutKeys() {}

    static Set<String> names() {
        Set<String> names = COLUMNS.keySet().stream().collect(Collectors.toSet());
        names.addAll(List.of(LAYOUT, TABLE, CONTENT_TYPE, PLACEMENT));
        return names;
    }

    /**
     * The layout that {@code keys} describe.
     *
     * @param mistake takes a key and what is wrong with it
     */
    static OutboxLayout read(Map<String, String> keys, BiConsumer<String, String> mistake) {
        String kind = keys.getOrDefault(LAYOUT, Kind.TRIBUTARY.name()).toLowerCase(Locale.ROOT);
        if (kind.equals("debezium")) {
            return debezium(keys, mistake);
        }
        if (kind.equals("tributary")) {
            names().stream()
                    .filter(name -> !name.equals(LAYOUT) && keys.containsKey(name))
                    .sorted()
                    .forEach(name -> mistake.accept(name, "is for layout: debezium"));
        } else {
            String meant = Suggestion.of(kind, List.of("tributary", "debezium"));
            mistake.accept(LAYOUT, "must be tributary or debezium, not '" + kind + "'" + meant);
        }
        return OutboxLayout.tributary();
    }

    private static OutboxLayout debezium(Map<String, String> keys, BiConsumer<String, String> mistake) {
        String table = keys.get(TABLE);
        if (table == null) {
            mistake.accept(TABLE, "is missing; name the outbox table, such as public.outbox");
            return OutboxLayout.tributary();
        }
        try {
            OutboxLayout byDefault = OutboxLayout.debezium(table);
            Map<EventColumn, String> columns = new EnumMap<>(byDefault.columns());
            COLUMNS.forEach((key, column) -> {
                if (keys.containsKey(key)) {
                    columns.put(column, keys.getOrDefault(key, ""));
                }
            });
            return new OutboxLayout(
                    Kind.DEBEZIUM,
                    byDefault.tables(),
                    columns,
                    headers(keys.getOrDefault(PLACEMENT, ""), mistake),
                    keys.getOrDefault(CONTENT_TYPE, byDefault.contentType()));
        } catch (ConfigurationException e) {
            e.mistakes().forEach(m -> mistake.accept(m.key(), m.problem()));
            return OutboxLayout.tributary();
        }
    }

    /** As in {@code tenant:header,origin:header:source}: column, place, and the header's name if it is another. */
    private static Map<String, String> headers(String placement, BiConsumer<String, String> mistake) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String one : placement.split("[,\\s]+", -1)) {
            String[] parts = one.split(":", -1);
            if (parts.length >= 2 && parts.length <= 3 && parts[1].equals("header")) {
                headers.put(parts[0], parts[parts.length == 2 ? 0 : 2]);
            } else if (!one.isEmpty()) {
                mistake.accept(
                        PLACEMENT, "has '" + one + "'; here columns become headers only: column:header[:name], ...");
            }
        }
        return headers;
    }
}

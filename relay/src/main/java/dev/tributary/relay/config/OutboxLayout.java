package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which tables hold a source's events, and in which columns. Immutable.
 *
 * @param kind whose layout it is
 * @param tables the tables, each as {@code schema.table}, spelled as PostgreSQL has them
 * @param columns the columns that are read, by what they hold; all of them must be there
 * @param headers further columns that become headers, by column, with the headers' names
 * @param contentType of every payload, where no column says it
 */
public record OutboxLayout(
        Kind kind,
        List<String> tables,
        Map<EventColumn, String> columns,
        Map<String, String> headers,
        String contentType) {
    /** What Debezium's users write to {@code payload}. */
    static final String DEFAULT_CONTENT_TYPE = "application/json";

    private static final Pattern TABLE = Pattern.compile("[^.\"\\s]+\\.[^.\"\\s]+");
    private static final OutboxLayout TRIBUTARY = new OutboxLayout(
            Kind.TRIBUTARY,
            List.of("tributary.event_store", "tributary.outbox"),
            Arrays.stream(EventColumn.values()).collect(Collectors.toMap(column -> column, EventColumn::ownName)),
            Map.of(),
            DEFAULT_CONTENT_TYPE);

    /** Whose tables they are. */
    public enum Kind {
        /** Those that {@code init} creates. */
        TRIBUTARY,
        /** One of the service's own, as Debezium's outbox router expects it. */
        DEBEZIUM
    }

    public OutboxLayout {
        tables = List.copyOf(tables);
        columns = new EnumMap<>(columns);
        headers = new LinkedHashMap<>(headers);
        List<Mistake> mistakes = new ArrayList<>();
        for (String table : tables) {
            if (!TABLE.matcher(table).matches()) {
                mistakes.add(new Mistake("table", "must be schema.table, such as public.outbox, not '" + table + "'"));
            }
        }
        ConfigurationException.throwIfAny(mistakes);
    }

    /** Tributary's own two tables. */
    public static OutboxLayout tributary() {
        return TRIBUTARY;
    }

    /** One table of the service's, with the columns as Debezium names them: {@code id, aggregatetype, aggregateid, …}. */
    public static OutboxLayout debezium(String table) {
        return new OutboxLayout(
                Kind.DEBEZIUM,
                List.of(table),
                Map.of(
                        EventColumn.ID, "id",
                        EventColumn.AGGREGATE_TYPE, "aggregatetype",
                        EventColumn.AGGREGATE_ID, "aggregateid",
                        EventColumn.TYPE, "type",
                        EventColumn.PAYLOAD, "payload"),
                Map.of(),
                DEFAULT_CONTENT_TYPE);
    }

    /** Whether these are the tables that {@code init} creates. */
    public boolean isOwn() {
        return kind == Kind.TRIBUTARY;
    }

    /** All columns that have to be there. */
    public List<String> columnNames() {
        List<String> names = new ArrayList<>(columns.values());
        names.addAll(headers.keySet());
        return names;
    }

    /** The tables as SQL, separated by commas. */
    public String tablesSql() {
        return tables.stream().map(OutboxLayout::sql).collect(Collectors.joining(", "));
    }

    /** {@code schema.table} as SQL. */
    public static String sql(String table) {
        return Arrays.stream(table.split("\\.", 2))
                .map(name -> name.matches("[a-z_][a-z0-9_]*") ? name : '"' + name + '"')
                .collect(Collectors.joining("."));
    }
}

package dev.tributary.consumer.rows;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What row operations mean, in maps: one operation after the other, each refused if it breaks a constraint. */
final class ModelOfTables {
    private final Map<String, Map<List<String>, Map<String, @Nullable String>>> tables = new TreeMap<>();
    private final Map<String, Rules> rules;

    ModelOfTables(Map<String, Rules> rules) {
        this.rules = rules;
        rules.keySet().forEach(table -> tables.put(table, new HashMap<>()));
    }

    /**
     * A table's constraints.
     *
     * @param defaults also says which columns there are besides the key
     * @param parent the table whose key {@code parentColumn} refers to, with ON DELETE CASCADE; null if there is none
     */
    record Rules(
            List<String> key,
            Map<String, @Nullable String> defaults,
            Set<String> required,
            List<List<String>> unique,
            Map<String, Integer> scales,
            @Nullable String parent,
            String parentColumn) {}

    /** An operation, with values as the database shows them. */
    record Operation(
            String table,
            List<String> key,
            Map<String, @Nullable String> set,
            Map<String, BigDecimal> increments,
            boolean deletes) {}

    /** False, and nothing has changed, if a constraint is in the way. */
    boolean apply(Operation operation) {
        Rules rule = rules.get(operation.table());
        Map<List<String>, Map<String, @Nullable String>> rows = tables.get(operation.table());
        Map<String, @Nullable String> old = rows.get(operation.key());
        if (operation.deletes()) {
            rows.remove(operation.key());
            cascade(operation.table(), operation.key().get(0));
            return true;
        }
        Map<String, @Nullable String> row = new HashMap<>(old == null ? rule.defaults() : old);
        operation.set().forEach((column, value) -> row.put(column, scaled(rule, column, value)));
        operation.increments().forEach((column, delta) -> {
            BigDecimal rounded = new BigDecimal(scaled(rule, column, delta.toString()));
            String before = old == null ? null : old.get(column);
            row.put(column, (before == null ? rounded : new BigDecimal(before).add(rounded)).toString());
        });
        if (rule.required().stream().anyMatch(column -> row.get(column) == null)
                || isTaken(rule, rows, operation.key(), row)
                || isOrphan(rule, row)) {
            return false;
        }
        rows.put(operation.key(), row);
        return true;
    }

    private static @Nullable String scaled(Rules rule, String column, @Nullable String value) {
        Integer scale = rule.scales().get(column);
        return value == null || scale == null
                ? value
                : new BigDecimal(value).setScale(scale, RoundingMode.HALF_UP).toString();
    }

    private void cascade(String parent, String id) {
        rules.forEach((table, rule) -> {
            if (parent.equals(rule.parent())) {
                tables.get(table).values().removeIf(row -> id.equals(row.get(rule.parentColumn())));
            }
        });
    }

    private static boolean isTaken(
            Rules rule,
            Map<List<String>, Map<String, @Nullable String>> rows,
            List<String> key,
            Map<String, @Nullable String> row) {
        for (List<String> columns : rule.unique()) {
            List<String> mine = values(rule, columns, key, row);
            boolean taken = !mine.contains("null")
                    && rows.entrySet().stream()
                            .anyMatch(other -> !other.getKey().equals(key)
                                    && values(rule, columns, other.getKey(), other.getValue())
                                            .equals(mine));
            if (taken) {
                return true;
            }
        }
        return false;
    }

    private static List<String> values(
            Rules rule, List<String> columns, List<String> key, Map<String, @Nullable String> row) {
        return columns.stream()
                .map(column -> rule.key().contains(column) ? key.get(rule.key().indexOf(column)) : row.get(column))
                .map(Objects::toString)
                .toList();
    }

    private boolean isOrphan(Rules rule, Map<String, @Nullable String> row) {
        String parent = rule.parent() == null ? null : row.get(rule.parentColumn());
        return parent != null && !tables.get(rule.parent()).containsKey(List.of(parent));
    }

    /** As {@code SELECT key, columns in alphabetical order} shows it. */
    Set<String> rows(String table) {
        Set<String> shown = new HashSet<>();
        tables.get(table)
                .forEach((key, row) -> shown.add(key + " "
                        + row.entrySet().stream()
                                .sorted(Map.Entry.comparingByKey())
                                .map(each -> each.getKey() + "=" + each.getValue())
                                .collect(Collectors.joining(" "))));
        return shown;
    }

    Rules rules(String table) {
        return rules.get(table);
    }
}

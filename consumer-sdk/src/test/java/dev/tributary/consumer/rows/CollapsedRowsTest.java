package dev.tributary.consumer.rows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.rows.ModelOfTables.Operation;
import dev.tributary.consumer.rows.ModelOfTables.Rules;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Random operations in random batches, against the same one by one and against a model. */
class CollapsedRowsTest {
    private static final int HISTORIES = 120;
    private static final int OPERATIONS = 60;

    private static final String PERSON = "person";
    private static final String LINE = "\"Order Line\"";
    private static final String PARENT = "parent";
    private static final String CHILD = "child";

    private static final Map<String, Rules> RULES = Map.of(
            PERSON,
            new Rules(
                    List.of("id"),
                    columns("name", null, "email", null, "visits", "0", "points", null, "level", "3", "note", "none"),
                    Set.of("visits"),
                    List.of(List.of("name"), List.of("email")),
                    Map.of("points", 2),
                    null,
                    ""),
            LINE,
            new Rules(
                    List.of("order_id", "\"No\""),
                    columns("sku", null, "qty", null, "paid", "false"),
                    Set.of("sku", "qty"),
                    List.of(List.of("order_id", "sku")),
                    Map.of(),
                    null,
                    ""),
            PARENT,
            new Rules(List.of("id"), columns("label", null), Set.of(), List.of(), Map.of(), null, ""),
            CHILD,
            new Rules(
                    List.of("id"),
                    columns("parent_id", null, "n", null),
                    Set.of(),
                    List.of(),
                    Map.of(),
                    PARENT,
                    "parent_id"));

    private static final String[] TABLES = {
        "CREATE TABLE person (id bigint PRIMARY KEY, name text UNIQUE, email text UNIQUE, visits int NOT NULL DEFAULT 0,"
                + " points numeric(12,2), level int DEFAULT 3, note text DEFAULT 'none',"
                + " shout text GENERATED ALWAYS AS (upper(name)) STORED)",
        "CREATE TABLE \"Order Line\" (order_id uuid, \"No\" int, sku text NOT NULL, qty int NOT NULL,"
                + " paid boolean DEFAULT false, PRIMARY KEY (order_id, \"No\"), UNIQUE (order_id, sku))",
        "CREATE TABLE parent (id text PRIMARY KEY, label text)",
        "CREATE TABLE child (id text PRIMARY KEY, parent_id text REFERENCES parent ON DELETE CASCADE, n bigint)"
    };

    private static Map<String, @Nullable String> columns(@Nullable String... namesAndDefaults) {
        Map<String, @Nullable String> columns = new HashMap<>();
        for (int i = 0; i < namesAndDefaults.length; i += 2) {
            columns.put(namesAndDefaults[i], namesAndDefaults[i + 1]);
        }
        return columns;
    }

    @Test
    void randomBatchesEndInTheSameRowsAsOperationsOneByOne() throws SQLException {
        int batches = 0;
        try (RowsDatabase collapsed = new RowsDatabase(TABLES);
                RowsDatabase separate = new RowsDatabase(TABLES)) {
            for (int seed = 0; seed < HISTORIES; seed++) {
                Random random = new Random(seed);
                ModelOfTables model = new ModelOfTables(RULES);
                List<Operation> history = history(random, model);
                List<Declares> events =
                        history.stream().map(each -> event(random, each)).toList();
                for (int from = 0; from < events.size(); batches++) {
                    int to = Math.min(events.size(), from + 1 + random.nextInt(OPERATIONS / 2));
                    collapsed.apply(events.subList(from, to));
                    from = to;
                }
                separate.applyOneByOne(events);
                String history_ = "seed " + seed + ": " + history;
                for (String table : RULES.keySet()) {
                    assertThat(rows(separate, table)).as(history_).isEqualTo(model.rows(table));
                    assertThat(rows(collapsed, table)).as(history_).isEqualTo(model.rows(table));
                }
                for (RowsDatabase database : List.of(collapsed, separate)) {
                    database.execute("TRUNCATE person, \"Order Line\", parent, child");
                }
            }
            // Both ways have been gone, and the slow one is not the usual one
            assertThat(collapsed.refusedWhole()).isPositive().isLessThan(batches / 3);
        }
    }

    /** Only operations that succeed one by one. */
    private static List<Operation> history(Random random, ModelOfTables model) {
        List<Operation> history = new ArrayList<>();
        while (history.size() < OPERATIONS) {
            Operation operation = operation(random);
            if (model.apply(operation)) {
                history.add(operation);
            }
        }
        return history;
    }

    private static Operation operation(Random random) {
        String table = List.of(PERSON, PERSON, PERSON, LINE, LINE, PARENT, CHILD, CHILD)
                .get(random.nextInt(8));
        List<String> key =
                switch (table) {
                    case PERSON -> List.of(Integer.toString(random.nextInt(5)));
                    case LINE ->
                        List.of(new UUID(0xabcdef, random.nextInt(2)).toString(), Integer.toString(random.nextInt(3)));
                    default -> List.of("k" + random.nextInt(3));
                };
        Map<String, @Nullable String> set = new HashMap<>();
        Map<String, BigDecimal> increments = new HashMap<>();
        if (random.nextInt(4) == 0) {
            return new Operation(table, key, set, increments, true);
        }
        switch (table) {
            case PERSON -> {
                maybe(random, () -> set.put("name", oneOf(random, "ann", "bob", "eve", null)));
                maybe(random, () -> set.put("email", oneOf(random, "a@x", "b@x", "c@x", null)));
                maybe(random, () -> set.put("visits", "7"));
                maybe(random, () -> set.put("points", oneOf(random, "1.5", "-2.005", null)));
                maybe(random, () -> set.put("note", oneOf(random, "it's \"{odd}\", \\ is it?", "", null)));
                for (String column : List.of("visits", "points", "level")) {
                    if (!set.containsKey(column)) {
                        maybe(
                                random,
                                () -> increments.put(
                                        column,
                                        column.equals("points")
                                                ? new BigDecimal("0.015")
                                                : BigDecimal.valueOf(random.nextInt(9) - 4)));
                    }
                }
            }
            case LINE -> {
                maybe(random, () -> set.put("sku", oneOf(random, "s1", "s2", "s3", "s4")));
                maybe(random, () -> set.put("paid", oneOf(random, "true", "false", null)));
                if (random.nextBoolean()) {
                    set.put("qty", Integer.toString(random.nextInt(9)));
                } else {
                    maybe(random, () -> increments.put("qty", BigDecimal.ONE));
                }
            }
            case PARENT -> maybe(random, () -> set.put("label", "l" + random.nextInt(9)));
            default -> {
                maybe(random, () -> set.put("parent_id", oneOf(random, "k0", "k1", "k2", null)));
                maybe(random, () -> increments.put("n", BigDecimal.TEN));
            }
        }
        return new Operation(table, key, set, increments, false);
    }

    private static void maybe(Random random, Runnable action) {
        if (random.nextBoolean()) {
            action.run();
        }
    }

    @SafeVarargs
    private static <T> @Nullable T oneOf(Random random, @Nullable T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    private static Declares event(Random random, Operation operation) {
        List<String> names = RULES.get(operation.table()).key();
        int variant = random.nextInt(4);
        return rows -> {
            Row row = rows.table(operation.table());
            for (int i = 0; i < names.size(); i++) {
                row.key(names.get(i), written(operation.key().get(i), variant));
            }
            operation.set().forEach(row::set);
            operation.increments().forEach(row::increment);
            if (operation.deletes()) {
                row.delete();
            } else {
                row.upsert();
            }
        };
    }

    /** The same key in other clothes. */
    private static Object written(String key, int variant) {
        boolean number = key.matches("\\d+");
        return switch (variant) {
            case 0 -> key;
            case 1 -> number ? Long.valueOf(key) : key.contains("-") ? UUID.fromString(key) : key;
            case 2 -> number ? new BigDecimal(key + ".0") : key.contains("-") ? key.toUpperCase(Locale.ROOT) : key;
            default -> number ? "0" + key : key;
        };
    }

    private static Set<String> rows(RowsDatabase database, String table) throws SQLException {
        Rules rules = RULES.get(table);
        String key = rules.key().stream().map(column -> column + "::text").collect(Collectors.joining(" || ', ' || "));
        String rest = Stream.of(rules.defaults().keySet().toArray(String[]::new))
                .sorted()
                .map(column -> "'" + column + "=' || coalesce(" + column + "::text, 'null')")
                .collect(Collectors.joining(" || ' ' || "));
        Set<String> rows = new HashSet<>();
        for (String row : database.rows("SELECT encode(convert_to('[' || " + key + " || '] ' || " + rest
                + ", 'UTF8'), 'hex') AS x FROM " + table)) {
            byte[] text = java.util.HexFormat.of().parseHex(row.substring(1, row.length() - 1));
            rows.add(new String(text, java.nio.charset.StandardCharsets.UTF_8));
        }
        return rows;
    }
}

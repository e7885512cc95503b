package dev.tributary.consumer.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.RowDifference.Kind;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TableComparisonTest {
    private final LocalPostgres postgres = LocalPostgres.shared();
    private final String url = postgres.createDatabase("compare");
    private Connection live;
    private Connection rebuilt;

    @BeforeEach
    void connect() throws SQLException {
        live = postgres.connect(url);
        rebuilt = postgres.connect(url);
        live.setAutoCommit(false);
        rebuilt.setAutoCommit(false);
        execute("CREATE SCHEMA a", "CREATE SCHEMA b");
    }

    @AfterEach
    void close() throws SQLException {
        live.close();
        rebuilt.close();
        postgres.dropDatabase(url);
    }

    private void execute(String... statements) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** A table in both schemas. */
    private void create(String table) throws SQLException {
        execute("SET search_path = a", "CREATE TABLE " + table, "SET search_path = b", "CREATE TABLE " + table);
    }

    private TableComparison compare(String table, String... leftOut) throws SQLException {
        live.rollback();
        rebuilt.rollback();
        TableComparison comparison = new TableComparison(live, "a", rebuilt, "b", 10_000);
        comparison.compare(table, Set.of(leftOut));
        return comparison;
    }

    private static List<String> found(TableComparison comparison) {
        return comparison.kept().stream()
                .map(row -> row.described(List.of()))
                .map(row -> row.kind() + " " + row.key() + " "
                        + row.columns().stream()
                                .map(c -> c.column() + ":" + c.live() + ">" + c.rebuilt())
                                .collect(Collectors.joining(",")))
                .toList();
    }

    @Test
    void missingExtraAndDifferentRowsAreFoundWithTheirColumns() throws SQLException {
        create(
                "t (id bigint PRIMARY KEY, name text, at timestamptz, applied_at timestamptz DEFAULT clock_timestamp())");
        for (String schema : List.of("a", "b")) {
            execute("INSERT INTO " + schema + ".t SELECT n, 'name ' || n, 'epoch' FROM generate_series(-3, 5000) n");
        }
        execute(
                "UPDATE a.t SET name = NULL, at = '2026-01-02 03:04:05Z' WHERE id = 100",
                "DELETE FROM a.t WHERE id IN (-3, 9)",
                "INSERT INTO a.t VALUES (5001, 'extra', 'epoch')");
        TableComparison comparison = compare("t", "applied_at");
        assertThat(found(comparison))
                .containsExactly(
                        "MISSING {id=-3} id:null>-3,name:null>name -3,at:null>1970-01-01 00:00:00+00",
                        "MISSING {id=9} id:null>9,name:null>name 9,at:null>1970-01-01 00:00:00+00",
                        "DIFFERENT {id=100} name:null>name 100,at:2026-01-02 03:04:05+00>1970-01-01 00:00:00+00",
                        "EXTRA {id=5001} id:5001>null,name:extra>null,at:1970-01-01 00:00:00+00>null");
        assertThat(comparison.results()).containsExactly(new TableResult("t", 5003, 2, 1, 1));
        assertThat(compare("t").results().get(0).different()).isGreaterThan(4_000);
        assertThat(compare("t", "t.applied_at", "name", "at").results())
                .containsExactly(new TableResult("t", 5003, 2, 1, 0));
    }

    @Test
    void tablesWithoutAKeyAreComparedAsMultisets() throws SQLException {
        create("log (line text, n int)");
        execute(
                "INSERT INTO a.log VALUES ('x', 1), ('x', 1), ('y', NULL), (NULL, NULL)",
                "INSERT INTO b.log VALUES (NULL, NULL), ('x', 1), ('y', NULL), ('x', 1), ('x', 1), ('z', 2)");
        assertThat(found(compare("log")))
                .containsExactly(
                        "MISSING {line=x, n=1} line:null>x,n:null>1", "MISSING {line=z, n=2} line:null>z,n:null>2");
        create("identity (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line text)");
        execute(
                "INSERT INTO a.identity (line) VALUES ('p'), ('q')",
                "INSERT INTO b.identity (line) VALUES ('q'), ('p')");
        assertThat(found(compare("identity", "n"))).isEmpty();
        assertThat(found(compare("identity"))).hasSize(2);
    }

    @Test
    void tablesOfDifferentShapesAreRefused() throws SQLException {
        execute("CREATE TABLE a.t (id int PRIMARY KEY, x text)", "CREATE TABLE b.t (id int PRIMARY KEY, x int)");
        assertThatThrownBy(() -> compare("t"))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("[id integer (key), x text] there, [id integer (key), x integer] here");
        assertThatThrownBy(() -> compare("nothing")).hasMessageContaining("no such table");
        create("\"Odd \"\"name\" (id int PRIMARY KEY)");
        assertThat(ComparedTable.names(live, "a")).containsExactly("Odd \"name", "t");
        assertThat(compare("Odd \"name").results().get(0).drifted()).isZero();
    }

    /** Random rows under keys of all kinds and orders; the truth is what maps in memory say. */
    @Test
    void randomTablesAreComparedAsMapsAre() throws SQLException {
        List<String> types = List.of("bigint", "text", "uuid", "numeric", "timestamptz", "bytea", "boolean", "date");
        for (int seed = 0; seed < 12; seed++) {
            Random random = new Random(seed);
            String first = types.get(random.nextInt(types.size()));
            String second = types.get(random.nextInt(types.size()));
            create("t" + seed + " (first " + first + ", value int, second " + second
                    + ", PRIMARY KEY (second, first))");
            Map<String, Integer> ours = new TreeMap<>();
            Map<String, Integer> theirs = new TreeMap<>();
            for (int i = 0; i < 400; i++) {
                String key = value(first, random) + "|" + value(second, random);
                int value = random.nextInt(3);
                if (random.nextInt(5) > 0) {
                    ours.put(key, value);
                }
                if (random.nextInt(5) > 0) {
                    theirs.put(key, random.nextInt(5) > 0 ? value : value + 1);
                }
            }
            fill("a.t" + seed, first, second, ours);
            fill("b.t" + seed, first, second, theirs);

            TableComparison comparison = compare("t" + seed);

            Map<String, Kind> expected = new TreeMap<>();
            Set<String> all = new HashSet<>(ours.keySet());
            all.addAll(theirs.keySet());
            for (String key : all) {
                if (!ours.containsKey(key)) {
                    expected.put(key, Kind.MISSING);
                } else if (!theirs.containsKey(key)) {
                    expected.put(key, Kind.EXTRA);
                } else if (!ours.get(key).equals(theirs.get(key))) {
                    expected.put(key, Kind.DIFFERENT);
                }
            }
            Map<String, Kind> found = new TreeMap<>();
            for (DriftedRow row : comparison.kept()) {
                found.put(row.key().get(1) + "|" + row.key().get(0), row.kind());
            }
            assertThat(found).as("seed %d: %s, %s", seed, first, second).isEqualTo(expected);
            assertThat(comparison.results().get(0).rows()).isEqualTo(ours.size());
        }
    }

    /** As PostgreSQL writes it. */
    private static String value(String type, Random random) {
        int n = random.nextInt(60) - 30;
        return switch (type) {
            case "bigint" -> Long.toString(n * 7_777_777_777L);
            case "uuid" -> new UUID(random.nextLong(), n).toString();
            case "numeric" -> n + ".50";
            case "timestamptz" -> "2026-01-02 03:04:" + (10 + Math.abs(n)) + "+00";
            case "bytea" -> "\\x" + String.format("%02x", n & 0xff);
            case "boolean" -> n > 0 ? "true" : "false";
            case "date" -> "2026-02-" + (10 + Math.abs(n) / 2);
            default -> text(random);
        };
    }

    /** Where collations, UTF-16 and UTF-8 have different orders. */
    private static String text(Random random) {
        List<String> letters = List.of("a", "B", "b", "ä", " ", "-", "_", "Z", "\uFFFD", "\uD83D\uDE00", "\uE000", "9");
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            text.append(letters.get(random.nextInt(letters.size())));
        }
        return text.toString();
    }

    private void fill(String table, String first, String second, Map<String, Integer> rows) throws SQLException {
        try (Connection connection = postgres.connect(url);
                PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO " + table + " VALUES (?::" + first + ", ?, ?::" + second + ")")) {
            List<Map.Entry<String, Integer>> entries = new ArrayList<>(rows.entrySet());
            for (Map.Entry<String, Integer> row : entries) {
                String[] key = row.getKey().split("\\|", 2);
                insert.setString(1, key[0]);
                insert.setInt(2, row.getValue());
                insert.setString(3, key[1]);
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }
}

package dev.tributary.consumer.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RowOperationsTest {
    private static final String CUSTOMER =
            "CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, orders bigint)";

    private enum Colour {
        RED
    }

    private static Declares customer(int id, String name, String email) {
        return rows -> rows.table("customer")
                .key("id", id)
                .set("name", name)
                .set("email", email)
                .upsert();
    }

    private static Declares deleted(int id) {
        return rows -> rows.table("customer").key("id", id).delete();
    }

    @Test
    void aBatchIsOneStatementPerTableKindAndColumns() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(
                CUSTOMER,
                "CREATE TABLE statement (n bigint GENERATED ALWAYS AS IDENTITY, kind text)",
                "CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN INSERT INTO statement (kind) VALUES (tg_op); RETURN NULL; END'",
                "CREATE TRIGGER a AFTER INSERT ON customer FOR EACH STATEMENT EXECUTE FUNCTION count_statement()",
                "CREATE TRIGGER b AFTER DELETE ON customer FOR EACH STATEMENT EXECUTE FUNCTION count_statement()")) {
            List<Declares> events = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                int id = i % 200;
                events.add(customer(id, "n" + i, "e" + i));
                events.add(rows -> rows.table("customer")
                        .key("id", id)
                        .increment("orders", 1)
                        .upsert());
            }
            IntStream.range(0, 100).forEach(id -> events.add(deleted(id)));
            database.apply(events);
            assertThat(database.rows("SELECT kind FROM statement ORDER BY n")).containsExactly("(DELETE)", "(INSERT)");
            assertThat(database.rows("SELECT count(*), min(id), sum(orders), max(name) FROM customer"))
                    .containsExactly("(100,100,200,n399)");
        }
    }

    @Test
    void uniqueValuesArePassedOnWithinABatch() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(CUSTOMER)) {
            database.apply(customer(1, "a", "x"), customer(2, "b", "y"));
            database.apply(customer(3, "c", "z"), deleted(1), customer(4, "d", "x"));
            database.apply(customer(4, "d", "w"), customer(2, "b", "x"), customer(4, "d", "y"));
            assertThat(database.rows("SELECT id, email FROM customer ORDER BY id"))
                    .containsExactly("(2,x)", "(3,z)", "(4,y)");
            database.apply(customer(2, "b", "free"), customer(4, "d", "x"), rows -> rows.table("customer")
                    .key("id", 2)
                    .set("email", "y")
                    .upsert());
            assertThat(database.rows("SELECT id, email FROM customer ORDER BY id"))
                    .containsExactly("(2,y)", "(3,z)", "(4,x)");
            assertThat(database.refusedWhole()).isEqualTo(2);
        }
    }

    @Test
    void columnsThatAreNotNamedStayEvenIfAnInsertWouldNeedThem() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(CUSTOMER)) {
            database.apply(customer(1, "a", "x"));
            database.apply(
                    rows -> rows.table("customer")
                            .key("id", 1)
                            .set("email", "y")
                            .increment("orders", 2)
                            .upsert(),
                    rows -> rows.table("customer").key("id", 1).upsert());
            assertThat(database.rows("SELECT * FROM customer")).containsExactly("(1,a,y,2)");
            assertThat(database.refusedWhole()).isZero();
            assertThatThrownBy(() -> database.apply(customer(5, "b", "z"), rows -> rows.table("customer")
                            .key("id", 6)
                            .set("email", "w")
                            .upsert()))
                    .isInstanceOfSatisfying(RowOperationException.class, e -> {
                        assertThat(e.event()).isEqualTo(1);
                        assertThat(e.getSQLState()).isEqualTo("23502");
                    })
                    .hasMessageContainingAll("upsert on customer (id = 6)", "\"name\"");
        }
    }

    @Test
    void javaValuesBecomeWhatTheColumnsAre() throws Exception {
        try (RowsDatabase database = new RowsDatabase(
                "SET TimeZone TO 'UTC'",
                "CREATE TYPE colour AS ENUM ('RED', 'BLUE')",
                "CREATE DOMAIN cents AS numeric(10,2) DEFAULT 0",
                "CREATE TABLE kinds (id bytea PRIMARY KEY, i smallint, n numeric(6,2), f double precision, t varchar(5),"
                        + " u uuid, b boolean, d date, ts timestamptz, span interval, j jsonb, c colour, w text, a int[],"
                        + " ta text[], m cents, p char(3))")) {
            JsonNode tree = new JsonMapper().readTree("{\"a\":[1,\"\\\"\"]}");
            database.apply(rows -> rows.table("kinds")
                    .key("id", new byte[] {0, (byte) 0xff})
                    .set("i", 7.0)
                    .set("n", new BigDecimal("1.005"))
                    .set("f", 0.1)
                    .set("t", "abc")
                    .set("u", new UUID(1, 2))
                    .set("b", true)
                    .set("d", LocalDate.of(2024, 2, 29))
                    .set("ts", Instant.parse("2024-02-29T10:11:12.123456Z"))
                    .set("span", Duration.ofMinutes(90))
                    .set("j", tree)
                    .set("c", Colour.RED)
                    .set("w", JsonNodeFactory.instance.textNode("a 'quoted' \\ \"text\""))
                    .set("a", List.of(1, 2))
                    .set("ta", new String[] {"a,b", null, "\"\\{}", ""})
                    .increment("m", 1.239)
                    .set("p", "ab")
                    .upsert());
            assertThat(database.rows("SELECT * FROM kinds"))
                    .containsExactly("(\"\\\\x00ff\",7,1.01,0.1,abc,00000000-0000-0001-0000-000000000002,t,2024-02-29,"
                            + "\"2024-02-29 10:11:12.123456+00\",01:30:00,\"{\"\"a\"\": [1, \"\"\\\\\"\"\"\"]}\",RED,"
                            + "\"a 'quoted' \\\\ \"\"text\"\"\",\"{1,2}\","
                            + "\"{\"\"a,b\"\",NULL,\"\"\\\\\"\"\\\\\\\\{}\"\",\"\"\"\"}\",1.24,\"ab \")");
            database.apply(rows -> rows.table("kinds")
                    .key("id", "\\x00FF")
                    .set("ts", OffsetDateTime.parse("2024-02-29T10:11:12+02:00"))
                    .set("j", null)
                    .set("w", JsonNodeFactory.instance.nullNode())
                    .set("i", null)
                    .upsert());
            assertThat(database.rows("SELECT ts, j, w, i FROM kinds"))
                    .containsExactly("(\"2024-02-29 08:11:12+00\",,,)");
            assertThatThrownBy(() -> database.apply(rows -> rows.table("kinds")
                            .key("id", "\\x00")
                            .set("t", "toolong")
                            .upsert()))
                    .hasMessageContaining("character varying(5)");
        }
    }

    @Test
    void keysThatOnlyTheDatabaseCanTellApartKeepTheirOrder() throws SQLException {
        try (RowsDatabase database = new RowsDatabase("CREATE TABLE padded (id char(5) PRIMARY KEY, n int)")) {
            database.apply(
                    rows -> rows.table("padded").key("id", "a").set("n", 1).upsert(),
                    rows -> rows.table("padded").key("id", "a ").delete(),
                    rows -> rows.table("padded")
                            .key("id", "b  ")
                            .increment("n", 1)
                            .upsert(),
                    rows -> rows.table("padded")
                            .key("id", "b")
                            .increment("n", 1)
                            .upsert());
            assertThat(database.rows("SELECT * FROM padded")).containsExactly("(\"b    \",2)");
            assertThat(database.refusedWhole()).isZero();
        }
    }

    @Test
    void aNameMeansWhatTheSearchPathSays() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(
                "CREATE SCHEMA v1",
                "CREATE SCHEMA \"V 2\"",
                "CREATE TABLE v1.item (id int PRIMARY KEY, n int)",
                "CREATE TABLE \"V 2\".item (id text PRIMARY KEY, n int NOT NULL, extra text DEFAULT 'x')")) {
            Declares upsert =
                    rows -> rows.table("item").key("id", 1).increment("n", 1).upsert();
            Declares deleteOther = rows -> rows.table("item").key("id", 2).delete();
            for (String schema : List.of("v1", "\"V 2\"", "v1", "\"V 2\"", "\"V 2\"")) {
                database.execute("SET search_path TO " + schema);
                database.apply(deleteOther);
                database.apply(upsert);
            }
            database.apply(rows ->
                    rows.table("v1.item").key("id", 1).increment("N", 10).upsert());
            database.apply(rows -> rows.table("\"V 2\".ITEM")
                    .key("id", 1)
                    .set("\"extra\"", "y")
                    .upsert());
            assertThat(database.rows("SELECT * FROM v1.item")).containsExactly("(1,12)");
            assertThat(database.rows("SELECT * FROM \"V 2\".item")).containsExactly("(1,3,y)");
        }
    }

    @Test
    void aTableThatChangesIsLookedAtAgain() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(CUSTOMER)) {
            database.apply(customer(1, "a", "x"));
            database.execute("ALTER TABLE customer ADD phone text");
            database.apply(rows ->
                    rows.table("customer").key("id", 1).set("phone", "1").upsert());
            database.execute(
                    "DROP TABLE customer", "CREATE TABLE customer (id text PRIMARY KEY, name bytea, email text)");
            database.apply(customer(1, "\\x01", "x"));
            assertThat(database.rows("SELECT id, email FROM customer")).containsExactly("(1,x)");
        }
    }

    @Test
    void mistakesNameTheirPlaceAndTheRemedy() throws SQLException {
        try (RowsDatabase database = new RowsDatabase(
                CUSTOMER, "CREATE TABLE sums (a int UNIQUE, b int, c int GENERATED ALWAYS AS (a + b) STORED)")) {
            Declares fine = customer(1, "a", "x");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customers").key("id", 1).upsert(),
                    "no table customers",
                    "create it");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customer").key("id", 1).set("mail", 1).upsert(),
                    "no column mail",
                    "email");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customer").key("id", 1).key("name", 1).upsert(),
                    "no unique index",
                    "CREATE UNIQUE INDEX ON public.customer (id, name)");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("sums").key("a", 1).set("c", 1).upsert(),
                    "column c",
                    "leave it out");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("sums").key("a", 1).set("a", 2).upsert(),
                    "column a",
                    "part of the key");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customer")
                            .key("id", 1)
                            .increment("name", 2)
                            .upsert(),
                    "column name",
                    "only numbers");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customer").key("id", "one").upsert(),
                    "key column id",
                    "'one' is not a number");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("sums").key("a", 1).set("b", "many").upsert(),
                    "sums (a = 1)",
                    "many");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("sums")
                            .key("a", 1)
                            .set("b", new Object())
                            .upsert(),
                    "column b",
                    "pass one");
            assertFails(
                    database,
                    fine,
                    rows -> rows.table("customer")
                            .key("id", 2)
                            .set("name", "a\0")
                            .upsert(),
                    "id = 2",
                    "0x00");
            assertThatThrownBy(() -> database.apply(rows -> rows.table("sums").key("a", null)))
                    .hasMessageContaining("key column a is null");
            assertThatThrownBy(() -> database.apply(
                            rows -> rows.table("sums").set("b", 1).upsert()))
                    .hasMessageContainingAll("sums", "no key");
            assertThatThrownBy(() -> database.apply(
                            rows -> rows.table("sums").key("a", 1).set("b", 1)))
                    .hasMessageContainingAll("sums", "upsert() or delete()");
            assertThatThrownBy(() -> database.apply(
                            rows -> rows.table("sums").key("a", 1).set("b", 1).delete()))
                    .hasMessageContainingAll("sums", "not b");
            assertThat(database.rows("SELECT FROM customer")).isEmpty();
        }
    }

    private static void assertFails(
            RowsDatabase database, Declares before, Declares mistake, String place, String remedy) {
        assertThatThrownBy(() -> database.apply(before, mistake))
                .isInstanceOfSatisfying(
                        RowOperationException.class, e -> assertThat(e.event()).isEqualTo(1))
                .hasMessageContainingAll(place, remedy);
    }
}

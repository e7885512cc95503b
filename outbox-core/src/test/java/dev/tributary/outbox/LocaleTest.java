package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalPostgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Ids that no two orders agree on: by bytes, as in English, and as in Danish, where aa comes behind z. */
class LocaleTest {
    private static final List<String> IDS = Stream.of(
                    "a", "B", "ä", "A-1", "aa", "b", "Aa-2", "z", "A1", "å", "Z", "a-1")
            .flatMap(id -> Stream.of(id, id + "aa", "b" + id))
            .distinct()
            .toList();

    private final Outbox outbox = Outbox.of(EventTypes.builder().build());
    private final EventStore store = EventStore.of(EventTypes.builder().build());

    @Test
    void numbersGoOnThoughTheDatabaseSortsInAnotherWay() throws SQLException {
        assumeTrue(LocalPostgres.shared().version() >= 15, "no databases in ICU's order before PostgreSQL 15");
        TestDatabase database = TestDatabase.inLocale("en-US");
        assertThat(database.text("SELECT 'a' < 'B' AND 'aa' < 'b'")).isEqualTo("t");
        assertThat(write(database, 0)).containsOnly(1L);
        assertThat(write(database, 1)).containsOnly(2L);

        LocalPostgres.shared().changeLocale(database.url(), "da");
        assertThat(database.text("SELECT 'aa' < 'b'")).isEqualTo("f");
        assertThat(write(database, 2)).containsOnly(3L);
        assertThat(database.text("SELECT count(*) FROM tributary.aggregate")).isEqualTo("" + 4 * IDS.size());
        try (Connection transaction = database.transaction()) {
            for (String id : IDS) {
                assertThat(store.load(transaction, "kept", id))
                        .extracting(StoredEvent::sequence)
                        .containsExactly(1L, 2L, 3L);
            }
        }
    }

    /** One more event of each aggregate, in all ways that there are; the sequences that they got. */
    private List<Long> write(TestDatabase database, long expected) throws SQLException {
        try (Connection transaction = database.transaction()) {
            List<Long> sequences = new ArrayList<>();
            outbox.publish(
                    transaction, IDS.stream().map(id -> event("sent", id)).toList());
            for (String id : IDS) {
                outbox.publish(transaction, event("alone", id));
                sequences.add(outbox.sequence(transaction, "sent", id));
                sequences.add(outbox.sequence(transaction, "alone", id));
                assertThat(store.append(transaction, expected, List.of(event("kept", id))))
                        .isInstanceOf(AppendResult.Appended.class);
            }
            TestDatabase.texts(
                            transaction,
                            "SELECT sequence FROM unnest(?::text[]) id, tributary.append('sql', id, ?, 'a.v1', '{}')",
                            IDS.toArray(String[]::new),
                            expected)
                    .forEach(sequence -> sequences.add(Long.valueOf(sequence)));
            transaction.commit();
            return sequences;
        }
    }

    private static NewEvent event(String type, String id) {
        return NewEvent.raw(type, id, "a.v1", "text/plain", "{}".getBytes(StandardCharsets.UTF_8));
    }

    /** A service's own columns may have any collation, also one for which a and A are the same. */
    @Test
    void sqlTakesTextsOfAnyCollation() throws SQLException {
        TestDatabase database = TestDatabase.withTables();
        database.execute(
                "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        database.execute("CREATE TABLE orders (id text COLLATE caseless, kind text COLLATE caseless);"
                + " INSERT INTO orders VALUES ('a', 'order'), ('A', 'order')");
        for (int time = 0; time < 2; time++) {
            database.execute("SELECT tributary.publish(kind, id, kind || '.placed.v1', '{}', '{\"tenant\": \"acme\"}')"
                    + " FROM orders");
            assertThat(database.texts("SELECT appended FROM orders, tributary.append(kind || 's', id, " + time
                            + ", kind || '.placed.v1', '{}')"))
                    .containsOnly("t");
            assertThat(database.texts("SELECT appended FROM orders, tributary.append(kind || 's', id, 7,"
                            + " kind || '.placed.v1', '{}')"))
                    .containsOnly("f");
        }
        assertThat(database.texts(
                        "SELECT aggregate_type || aggregate_id || sequence FROM tributary.aggregate ORDER BY 1"))
                .containsExactly("orderA2", "ordera2", "ordersA2", "ordersa2");
    }
}

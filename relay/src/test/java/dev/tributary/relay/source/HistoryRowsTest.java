package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.source.HistoryRows.Place;
import dev.tributary.relay.source.HistoryRows.Selection;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HistoryRowsTest {
    /** With ids whose order in English is not that of their bytes, of tables that are sorted each by itself. */
    @Test
    void whatLiesBehindARowIsTheSameInAnyLocale() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        assumeTrue(postgres.version() >= 15, "no databases in ICU's order before PostgreSQL 15");
        String url = postgres.createDatabase("locale", "en-US");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            for (String table : List.of("event_store", "outbox")) {
                statement.execute(
                        "INSERT INTO tributary." + table + " SELECT gen_random_uuid(), type, id, sequence, 'a.v1',"
                                + " 'application/json', '{}', NULL, now() FROM unnest('{order,Order,A-1}'::text[]) type,"
                                + " unnest('{a,B,ä,A-1,aa,b,Z,a1}'::text[]) id, generate_series(1, 3) sequence");
            }
        }
        SourceConfig source = new SourceConfig(
                "locale",
                url,
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
        try (HistoryRows rows = HistoryRows.asTheyAre(source)) {
            rows.choose(new Selection(Set.of(), null, null, null), null);
            List<OutboxEvent> all = read(rows, null);
            assertThat(all).hasSize(2 * 3 * 8 * 3);
            for (int i = 0; i < all.size(); i++) {
                assertThat(read(rows, Place.of(all.get(i))))
                        .extracting(OutboxEvent::id)
                        .containsExactlyElementsOf(all.subList(i + 1, all.size()).stream()
                                .map(OutboxEvent::id)
                                .toList());
            }
        }
        postgres.dropDatabase(url);
    }

    private static List<OutboxEvent> read(HistoryRows rows, @Nullable Place after) throws SQLException {
        List<OutboxEvent> events = new ArrayList<>();
        rows.copy(after, events::add);
        return events;
    }
}

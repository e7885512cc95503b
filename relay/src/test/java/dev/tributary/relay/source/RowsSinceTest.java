package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RowsSinceTest {
    private static final String PUBLISH =
            "SELECT tributary.publish('%s', 'x', 'a.v1', '{}') FROM generate_series(1, 3);";
    private static final String COLUMNS =
            "id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers," + " occurred_at";

    /** Once released, an event is there twice, which is not to count for one that is gone. */
    @Test
    void whatIsGoneIsCountedBySequencesEachOnce() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase("gone");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            for (String type : Set.of("order", "other", "whole")) {
                statement.execute(PUBLISH.formatted(type));
            }
            statement.execute("SELECT tributary.append('stored', 'x', 0, 'a.v1', '{}')");
            statement.execute("INSERT INTO tributary.dead_letter (source, position, released_at, " + COLUMNS
                    + ") SELECT" + " 'gone', aggregate_type, now(), " + COLUMNS
                    + " FROM tributary.outbox WHERE sequence = 1");
            statement.execute(
                    "INSERT INTO tributary.outbox (" + COLUMNS + ") SELECT " + COLUMNS + " FROM tributary.dead_letter");
            statement.execute(
                    "DELETE FROM tributary.outbox WHERE aggregate_type IN ('order', 'other') AND sequence = 3");
        }
        RowsSince rows = new RowsSince(new SourceConfig(
                "gone",
                url,
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1));
        assertThat(rows.gone(Set.of())).containsOnly(Map.entry("order", 1L), Map.entry("other", 1L));
        assertThat(rows.gone(Set.of("other"))).containsOnlyKeys("other");
        assertThat(rows.gone(Set.of("stored", "whole", "it's"))).isEmpty();
        postgres.dropDatabase(url);
    }
}

package dev.tributary.consumer.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.view.RowDifference.ColumnDifference;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class MillionRowsIT {
    private static final Logger LOG = LoggerFactory.getLogger(MillionRowsIT.class);
    private static final int ROWS = 1_000_000;

    @Test
    void oneRowAlteredByHandAmongAMillionIsFound() throws Exception {
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase("million");
        try (Connection live = postgres.connect(url);
                Connection rebuilt = postgres.connect(url);
                Statement statement = live.createStatement()) {
            for (String schema : List.of("a", "b")) {
                statement.execute("CREATE SCHEMA " + schema);
                statement.execute("CREATE TABLE " + schema + ".orders (id uuid PRIMARY KEY, customer text NOT NULL,"
                        + " cents bigint NOT NULL, placed_at timestamptz NOT NULL, note text)");
                statement.execute("INSERT INTO " + schema
                        + ".orders SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n::bigint *"
                        + " 7919 % " + ROWS + "), 12, '0'))::uuid, 'customer ' || n % 1000, n, 'epoch'::timestamptz +"
                        + " n * interval '1 s', CASE WHEN n % 3 = 0 THEN 'note ' || n END FROM generate_series(1, "
                        + ROWS
                        + ") n");
            }
            statement.execute("UPDATE a.orders SET note = 'by hand' WHERE cents = 777776");

            long began = System.nanoTime();
            TableComparison comparison = Snapshots.in(
                    live,
                    () -> Snapshots.in(rebuilt, () -> {
                        TableComparison both = new TableComparison(live, "a", rebuilt, "b", 10);
                        both.compare("orders", Set.of());
                        return both;
                    }));
            LOG.info("{} rows compared in {} ms", ROWS, (System.nanoTime() - began) / 1_000_000);

            assertThat(comparison.results()).containsExactly(new TableResult("orders", ROWS, 0, 0, 1));
            RowDifference found = comparison.kept().get(0).described(List.of());
            assertThat(found.columns()).containsExactly(new ColumnDifference("note", "by hand", null));
            assertThat(found.key())
                    .isEqualTo(Map.of("id", "00000000-0000-4000-8000-%012x".formatted(777776L * 7919 % ROWS)));
        } finally {
            postgres.dropDatabase(url);
        }
    }
}

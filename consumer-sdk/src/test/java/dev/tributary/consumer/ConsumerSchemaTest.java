package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class ConsumerSchemaTest {
    @Test
    void outboxSchemaBesideARunningMigrationWaitsForIt() throws Exception {
        String url = LocalPostgres.shared().createDatabase("schemas");
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (ViewDatabase database = ViewDatabase.at(url);
                Connection consumer = database.dataSource().getConnection();
                Connection outbox = database.dataSource().getConnection()) {
            consumer.setAutoCommit(false);
            ConsumerSchema.apply(consumer);
            Future<?> other = executor.submit(() -> {
                OutboxSchema.apply(outbox);
                return null;
            });
            eventually(() -> assertThat(database.number("SELECT count(*) FROM pg_stat_activity"
                            + " WHERE datname = current_database() AND wait_event_type = 'Lock'"))
                    .isEqualTo(1));
            consumer.commit();
            assertThatNoException().isThrownBy(other::get);
        } finally {
            executor.shutdownNow();
            LocalPostgres.shared().dropDatabase(url);
        }
    }

    @Test
    void noIndexDependsOnAnOrderThatAnUpgradeMayChange() {
        try (ViewDatabase database = new ViewDatabase(LocalPostgres.shared())) {
            assertThat(database.strings("SELECT indexrelid::regclass || ' ' || indexed::regcollation"
                            + " FROM pg_index, unnest(indcollation::oid[]) AS indexed WHERE indexed <> 0 AND indrelid IN"
                            + " (SELECT oid FROM pg_class WHERE relnamespace = 'tributary'::regnamespace)"))
                    .isNotEmpty()
                    .allSatisfy(index -> assertThat(index).endsWith(" \"C\""));
            assertThat(database.strings("SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
                            + " WHERE relnamespace = 'tributary'::regnamespace AND relkind = 'r' AND attnum > 0"
                            + " GROUP BY attname HAVING count(DISTINCT attcollation) > 1"))
                    .as("columns that are not in the same collation everywhere")
                    .isEmpty();
        }
    }
}

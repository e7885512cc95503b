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
}

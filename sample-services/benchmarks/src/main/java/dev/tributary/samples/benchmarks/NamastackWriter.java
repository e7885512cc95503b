package dev.tributary.samples.benchmarks;

import io.namastack.outbox.Outbox;
import io.namastack.outbox.OutboxJacksonAutoConfiguration;
import io.namastack.outbox.annotation.OutboxHandler;
import io.namastack.outbox.config.JdbcOutboxAutoConfiguration;
import io.namastack.outbox.config.JdbcOutboxSchemaAutoConfiguration;
import io.namastack.outbox.config.OutboxCoreInfrastructureAutoConfiguration;
import io.namastack.outbox.config.OutboxCoreThreadingAutoConfiguration;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * namastack's outbox on JDBC, in a Spring context with its own configuration but for what polls. Records of the same key keep
 * their order; each is written by itself.
 */
final class NamastackWriter implements EventWriter {
    private final DataSource pool;
    private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    private final TransactionTemplate transactions;
    private final Outbox outbox;

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({
        TaskExecutionAutoConfiguration.class,
        TaskSchedulingAutoConfiguration.class,
        JdbcOutboxSchemaAutoConfiguration.class,
        JdbcOutboxAutoConfiguration.class,
        OutboxJacksonAutoConfiguration.class,
        OutboxCoreThreadingAutoConfiguration.class,
        OutboxCoreInfrastructureAutoConfiguration.class
    })
    static class WithoutPolling {
        @Bean
        PlatformTransactionManager transactionManager(DataSource pool) {
            return new DataSourceTransactionManager(pool);
        }

        @Bean
        Handlers handlers() {
            return new Handlers();
        }
    }

    /** There is a record for each handler of an event. */
    static class Handlers {
        @OutboxHandler
        public void publish(OrderEvent event) {}
    }

    /** Creates its tables. */
    NamastackWriter(DataSource pool) {
        this.pool = pool;
        context.registerBean(DataSource.class, () -> pool);
        context.register(WithoutPolling.class);
        context.refresh();
        transactions = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
        outbox = context.getBean(Outbox.class);
    }

    @Override
    public void write(WriteJob job) {
        transactions.executeWithoutResult(status -> {
            insertBusinessRow(job);
            job.events().forEach(event -> outbox.schedule(event, job.aggregateId()));
        });
    }

    private void insertBusinessRow(WriteJob job) {
        try {
            job.insertBusinessRow(DataSourceUtils.getConnection(pool));
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        context.close();
    }
}

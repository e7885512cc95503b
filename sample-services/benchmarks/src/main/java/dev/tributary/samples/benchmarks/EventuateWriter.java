package dev.tributary.samples.benchmarks;

import io.eventuate.common.id.ApplicationIdGenerator;
import io.eventuate.common.jdbc.EventuateCommonJdbcOperations;
import io.eventuate.common.jdbc.EventuateCommonJdbcStatementExecutor;
import io.eventuate.common.jdbc.EventuateJdbcOperationsUtils;
import io.eventuate.common.jdbc.EventuateSchema;
import io.eventuate.common.jdbc.OutboxPartitioningSpec;
import io.eventuate.common.jdbc.sqldialect.PostgresDialect;
import io.eventuate.tram.events.common.DefaultDomainEventNameMapping;
import io.eventuate.tram.events.publisher.DomainEventPublisher;
import io.eventuate.tram.events.publisher.DomainEventPublisherImpl;
import io.eventuate.tram.messaging.common.MessageInterceptor;
import io.eventuate.tram.messaging.producer.common.MessageProducerImpl;
import io.eventuate.tram.messaging.producer.jdbc.MessageProducerJdbcImpl;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;

/** Eventuate Tram's domain events on plain JDBC. It writes event by event; what its CDC service would send keeps its order. */
final class EventuateWriter implements EventWriter {
    private static final ThreadLocal<Connection> CURRENT = new ThreadLocal<>();

    private final DataSource pool;
    private final DomainEventPublisher publisher;

    EventuateWriter(DataSource pool) {
        this.pool = pool;
        PostgresDialect dialect = new PostgresDialect();
        EventuateCommonJdbcOperations operations = new EventuateCommonJdbcOperations(
                new EventuateJdbcOperationsUtils(dialect),
                new EventuateCommonJdbcStatementExecutor(() -> Objects.requireNonNull(CURRENT.get())),
                dialect,
                OutboxPartitioningSpec.DEFAULT);
        publisher = new DomainEventPublisherImpl(
                new MessageProducerImpl(
                        new MessageInterceptor[0],
                        channel -> channel,
                        new MessageProducerJdbcImpl(operations, new ApplicationIdGenerator(), new EventuateSchema())),
                new DefaultDomainEventNameMapping());
    }

    @Override
    public void write(WriteJob job) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            CURRENT.set(connection);
            job.insertBusinessRow(connection);
            publisher.publish(WriteJob.AGGREGATE_TYPE, job.aggregateId(), List.copyOf(job.events()));
            connection.commit();
        } finally {
            CURRENT.remove();
        }
    }
}

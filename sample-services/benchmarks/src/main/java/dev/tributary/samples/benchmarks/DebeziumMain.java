package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.localstack.LocalPostgres;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.DebeziumEngine.ChangeConsumer;
import io.debezium.engine.DebeziumEngine.RecordCommitter;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Debezium Embedded as its documentation shows it: the PostgreSQL connector with pgoutput, the outbox EventRouter, and a
 * consumer that sends each batch to Kafka, waits for its acknowledgements (as Debezium Server's does) and marks it done.
 */
final class DebeziumMain {
    private DebeziumMain() {}

    public static void main(String[] args) {
        String run = args[0];
        Properties properties = properties(run, args[1]);
        if (Boolean.parseBoolean(args[3])) {
            properties.setProperty("max.batch.size", "8192"); // 2048
            properties.setProperty("max.queue.size", "32768"); // 8192
            properties.setProperty("poll.interval.ms", "10"); // 500
        }
        // The producer is the same as the limit's, and not its own defaults, which do worse
        Producer<byte[], byte[]> producer = new KafkaProducer<>(ProducerMain.settings(args[2]));
        DebeziumEngine<RecordChangeEvent<SourceRecord>> engine = DebeziumEngine.create(
                        ChangeEventFormat.of(Connect.class))
                .using(properties)
                .using((success, message, error) -> {
                    System.out.println("Debezium ended: " + message);
                    if (error != null) {
                        error.printStackTrace(System.out);
                    }
                    Runtime.getRuntime().halt(1);
                })
                .notifying(new ToKafka(producer))
                .build();
        engine.run();
    }

    private static Properties properties(String run, String databaseUrl) {
        URI database = URI.create(databaseUrl.substring("jdbc:".length()));
        Properties properties = new Properties();
        properties.setProperty("name", run);
        properties.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
        // Nothing is stored: it starts where its slot stands
        properties.setProperty("offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore");
        properties.setProperty("snapshot.mode", "no_data");
        properties.setProperty("topic.prefix", run);
        properties.setProperty("database.hostname", database.getHost());
        properties.setProperty("database.port", Integer.toString(database.getPort()));
        properties.setProperty("database.user", LocalPostgres.USER);
        properties.setProperty("database.password", LocalPostgres.PASSWORD);
        properties.setProperty("database.dbname", database.getPath().substring(1));
        properties.setProperty("plugin.name", "pgoutput");
        properties.setProperty("slot.name", Contestant.slot(run));
        properties.setProperty("publication.name", FilledDatabase.DEBEZIUM_PUBLICATION);
        properties.setProperty("publication.autocreate.mode", "disabled");
        properties.setProperty("table.include.list", "tributary.outbox");
        properties.setProperty(
                "column.include.list",
                "tributary.outbox." + FilledDatabase.DEBEZIUM_COLUMNS.replace(",", ",tributary.outbox."));
        properties.setProperty("transforms", "outbox");
        properties.setProperty("transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter");
        properties.setProperty("transforms.outbox.table.field.event.key", "aggregate_id");
        properties.setProperty("transforms.outbox.route.by.field", "aggregate_type");
        properties.setProperty("transforms.outbox.route.topic.replacement", run + ".${routedByValue}");
        properties.setProperty("transforms.outbox.table.fields.additional.placement", "type:header:eventType");
        return properties;
    }

    private static final class ToKafka implements ChangeConsumer<RecordChangeEvent<SourceRecord>> {
        private final Producer<byte[], byte[]> producer;

        ToKafka(Producer<byte[], byte[]> producer) {
            this.producer = producer;
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // the callback tells
        public void handleBatch(
                List<RecordChangeEvent<SourceRecord>> batch, RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
                throws InterruptedException {
            CountDownLatch unacknowledged = new CountDownLatch(batch.size());
            for (RecordChangeEvent<SourceRecord> event : batch) {
                producer.send(toKafka(event.record()), (metadata, exception) -> {
                    if (exception != null) {
                        throw new IllegalStateException(exception);
                    }
                    unacknowledged.countDown();
                });
            }
            unacknowledged.await();
            for (RecordChangeEvent<SourceRecord> event : batch) {
                committer.markProcessed(event);
            }
            committer.markBatchFinished();
        }

        private static ProducerRecord<byte[], byte[]> toKafka(SourceRecord event) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                    event.topic(), null, event.timestamp(), bytes(event.key()), bytes(event.value()));
            for (Header header : event.headers()) {
                record.headers().add(header.key(), bytes(header.value()));
            }
            return record;
        }

        private static byte[] bytes(Object value) {
            if (value instanceof byte[] bytes) {
                return bytes;
            }
            if (value instanceof ByteBuffer buffer) {
                byte[] bytes = new byte[buffer.remaining()];
                buffer.duplicate().get(bytes);
                return bytes;
            }
            return value.toString().getBytes(UTF_8);
        }
    }
}

package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.ObjectReader;
import dev.tributary.localstack.LocalPostgres;
import io.debezium.connector.jdbc.JdbcSinkConnectorTask;
import io.debezium.time.ZonedTimestamp;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;

/**
 * Debezium's JDBC sink as Kafka Connect would run it: poll, convert, put, commit offsets; what its workers and converters cost
 * beyond that is left out. The JSON becomes a Connect record by the same Jackson as everybody's.
 */
final class DebeziumSink {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Schema KEY =
            SchemaBuilder.struct().field("customer_id", Schema.STRING_SCHEMA).build();
    private static final Schema VALUE = SchemaBuilder.struct()
            .field("customer_id", Schema.STRING_SCHEMA)
            .field("name", Schema.STRING_SCHEMA)
            .field("email", Schema.STRING_SCHEMA)
            .field("total_cents", Schema.INT64_SCHEMA)
            .field("changed_at", ZonedTimestamp.schema())
            .build();

    private final JdbcSinkConnectorTask task = new JdbcSinkConnectorTask();
    private final ObjectReader reader = CustomerTopic.mapper().readerFor(CustomerChanged.class);
    private final AtomicLong applied = new AtomicLong();
    private final TopicPartition partition;

    private DebeziumSink(String topic) {
        partition = new TopicPartition(topic, 0);
    }

    static LongSupplier start(String bootstrapServers, String topic, String url) {
        DebeziumSink sink = new DebeziumSink(topic);
        sink.task.initialize(context(sink.partition));
        sink.task.start(settings(url));
        sink.task.open(Set.of(sink.partition));
        KafkaConsumer<byte[], byte[]> consumer = BareLoop.consumer(bootstrapServers, topic);
        Thread thread = new Thread(() -> sink.run(consumer), "sink");
        thread.setDaemon(true);
        thread.start();
        return sink.applied::get;
    }

    private static Map<String, String> settings(String url) {
        Map<String, String> settings = new HashMap<>();
        settings.put("connection.url", url + "?reWriteBatchedInserts=true");
        settings.put("connection.username", LocalPostgres.USER);
        settings.put("connection.password", LocalPostgres.PASSWORD);
        settings.put("collection.name.format", "customer");
        settings.put("insert.mode", "upsert");
        settings.put("primary.key.mode", "record_key");
        settings.put("schema.evolution", "none");
        settings.put("batch.size", "500");
        settings.put("use.reduction.buffer", "true");
        return settings;
    }

    /** The task asks for nothing but its partitions. */
    private static SinkTaskContext context(TopicPartition partition) {
        return (SinkTaskContext) Proxy.newProxyInstance(
                DebeziumSink.class.getClassLoader(), new Class<?>[] {SinkTaskContext.class}, (proxy, method, args) -> {
                    return switch (method.getName()) {
                        case "assignment" -> Set.of(partition);
                        case "configs" -> Map.of();
                        default -> null;
                    };
                });
    }

    private void run(KafkaConsumer<byte[], byte[]> consumer) {
        try {
            while (true) {
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
                if (!polled.isEmpty()) {
                    List<SinkRecord> records = new ArrayList<>(polled.count());
                    for (ConsumerRecord<byte[], byte[]> record : polled) {
                        records.add(convert(record));
                    }
                    task.put(records);
                    Map<TopicPartition, OffsetAndMetadata> next =
                            Map.of(partition, new OffsetAndMetadata(consumer.position(partition)));
                    consumer.commitAsync(task.preCommit(next), null);
                    applied.addAndGet(polled.count());
                }
            }
        } catch (IOException | RuntimeException e) {
            e.printStackTrace(System.out);
            Runtime.getRuntime().halt(1);
        }
    }

    private SinkRecord convert(ConsumerRecord<byte[], byte[]> record) throws IOException {
        CustomerChanged customer = reader.readValue(record.value());
        Struct value = new Struct(VALUE)
                .put("customer_id", customer.customerId())
                .put("name", customer.name())
                .put("email", customer.email())
                .put("total_cents", customer.totalCents())
                .put("changed_at", customer.changedAt().toString());
        Struct key = new Struct(KEY).put("customer_id", customer.customerId());
        return new SinkRecord(record.topic(), record.partition(), KEY, key, VALUE, value, record.offset());
    }
}

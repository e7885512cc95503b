package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectReader;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** Polls, reads the JSON and writes, in one thread, without the SDK; a poll brings up to 500 records, Kafka's default. */
final class BareLoop {
    private static final Duration POLL = Duration.ofMillis(100);

    private final Connection connection;
    private final ObjectReader reader = CustomerTopic.mapper().readerFor(CustomerChanged.class);
    private final AtomicLong applied = new AtomicLong();

    private BareLoop(Connection connection) {
        this.connection = connection;
    }

    private interface Write {
        void apply(ConsumerRecords<byte[], byte[]> records) throws IOException, SQLException;
    }

    static LongSupplier start(Applier applier, String bootstrapServers, String topic, String url) throws SQLException {
        Connection connection = DriverManager.getConnection(
                url + "?reWriteBatchedInserts=true", LocalPostgres.USER, LocalPostgres.PASSWORD);
        connection.setAutoCommit(false);
        BareLoop loop = new BareLoop(connection);
        Write write =
                switch (applier) {
                    case BARE -> loop::batch;
                    case COPY -> loop::copy;
                    default -> loop::oneByOne;
                };
        KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrapServers, topic);
        Thread thread = new Thread(() -> loop.run(consumer, write), "loop");
        thread.setDaemon(true);
        thread.start();
        return loop.applied::get;
    }

    static KafkaConsumer<byte[], byte[]> consumer(String bootstrapServers, String topic) {
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrapServers,
                        "group.id",
                        "loop-" + topic,
                        "enable.auto.commit",
                        "false"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0));
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    private void run(KafkaConsumer<byte[], byte[]> consumer, Write write) {
        try {
            while (true) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                if (!records.isEmpty()) {
                    write.apply(records);
                    consumer.commitAsync();
                }
            }
        } catch (IOException | SQLException | RuntimeException e) {
            e.printStackTrace(System.out);
            Runtime.getRuntime().halt(1);
        }
    }

    /** A rewritten batch must not have a key twice, so the last of each is kept. */
    private void batch(ConsumerRecords<byte[], byte[]> records) throws IOException, SQLException {
        Map<String, CustomerChanged> last = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            CustomerChanged customer = reader.readValue(record.value());
            last.put(customer.customerId(), customer);
        }
        try (PreparedStatement upsert = connection.prepareStatement(CustomerChanged.UPSERT)) {
            for (CustomerChanged customer : last.values()) {
                ApplyMain.set(upsert, customer);
                upsert.addBatch();
            }
            upsert.executeBatch();
        }
        connection.commit();
        applied.addAndGet(records.count());
    }

    private void copy(ConsumerRecords<byte[], byte[]> records) throws IOException, SQLException {
        StringBuilder rows = new StringBuilder();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            CustomerChanged customer = reader.readValue(record.value());
            rows.append(customer.customerId())
                    .append('\t')
                    .append(customer.name())
                    .append('\t')
                    .append(customer.email())
                    .append('\t')
                    .append(customer.totalCents())
                    .append('\t')
                    .append(customer.changedAt())
                    .append('\n');
        }
        CopyManager manager = connection.unwrap(PGConnection.class).getCopyAPI();
        manager.copyIn(
                "COPY copied FROM STDIN",
                new java.io.ByteArrayInputStream(rows.toString().getBytes(UTF_8)));
        connection.commit();
        applied.addAndGet(records.count());
    }

    private void oneByOne(ConsumerRecords<byte[], byte[]> records) throws IOException, SQLException {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            String id = new String(record.headers().lastHeader("ce_id").value(), UTF_8);
            try (PreparedStatement seen =
                    connection.prepareStatement("INSERT INTO inbox (id) VALUES (?::uuid) ON CONFLICT DO NOTHING")) {
                seen.setString(1, id);
                if (seen.executeUpdate() == 1) {
                    CustomerChanged customer = reader.readValue(record.value());
                    try (PreparedStatement upsert = connection.prepareStatement(CustomerChanged.UPSERT)) {
                        ApplyMain.set(upsert, customer);
                        upsert.executeUpdate();
                    }
                }
            }
            connection.commit();
            applied.incrementAndGet();
        }
    }
}

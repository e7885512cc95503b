package dev.tributary.samples.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.routing.EventRouter;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A topic, filled with what the relay would have written.
 *
 * @param rows how many customers there are
 * @param totalCents the sum of what each customer's last event says
 */
record CustomerTopic(String name, int events, int rows, long totalCents) {
    /** @param customers whom each event is of */
    @SuppressWarnings("FutureReturnValueIgnored") // the callback tells
    static CustomerTopic fill(LocalKafka kafka, int[] customers, String source, int partitions)
            throws IOException, ExecutionException, InterruptedException {
        String topic = source + "." + CustomerChanged.AGGREGATE_TYPE;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(partitions), Optional.empty())))
                    .all()
                    .get();
        }
        EventRouter router = new EventRouter(new SourceConfig(
                source,
                "jdbc:postgresql://localhost/none",
                "nobody",
                "",
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1));
        JsonMapper mapper = mapper();
        Instant start = Instant.now(); // Kafka deletes what is old
        Map<Integer, Integer> sequences = new HashMap<>();
        Map<Integer, Long> totals = new HashMap<>();
        Map<String, Object> settings = new HashMap<>(ProducerMain.settings(kafka.bootstrapServers()));
        settings.put("max.in.flight.requests.per.connection", 1);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
            for (int i = 0; i < customers.length; i++) {
                int sequence = sequences.merge(customers[i], 1, Integer::sum);
                CustomerChanged payload = payload(customers[i], i, start.plusMillis(i));
                totals.put(customers[i], payload.totalCents());
                ProducerRecord<byte[], byte[]> record =
                        router.route(event(i, payload, sequence, mapper.writeValueAsBytes(payload)));
                producer.send(record, (metadata, exception) -> {
                    if (exception != null) {
                        exception.printStackTrace();
                        Runtime.getRuntime().halt(1);
                    }
                });
            }
        }
        return new CustomerTopic(
                topic,
                customers.length,
                totals.size(),
                totals.values().stream().mapToLong(Long::longValue).sum());
    }

    /** Who is quick because it leaves something out takes no part: fails if a table is not what the events say. */
    void check(String title, LocalPostgres postgres, String url, String table) throws SQLException {
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement();
                ResultSet sums = statement.executeQuery("SELECT count(*), sum(total_cents) FROM " + table)) {
            sums.next();
            if (sums.getInt(1) != rows || sums.getLong(2) != totalCents) {
                throw new IllegalStateException(title + " made another view of the events: " + sums.getInt(1)
                        + " rows with a sum of " + sums.getLong(2) + " instead of " + rows + " with " + totalCents);
            }
        }
    }

    /** Reads and writes payloads. */
    static JsonMapper mapper() {
        return JsonMapper.builder()
                .findAndAddModules()
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .build();
    }

    private static CustomerChanged payload(int customer, int number, Instant changedAt) {
        return new CustomerChanged(
                "customer-" + customer,
                "Ada Lovelace the " + customer,
                "ada.lovelace." + customer + "@example.com",
                number % 1_000_003L,
                changedAt);
    }

    private static OutboxEvent event(int number, CustomerChanged customer, int sequence, byte[] payload) {
        Instant time = customer.changedAt();
        return new OutboxEvent(
                new Position(1, 0x1234_5678L + 1_000L * number, 0),
                time,
                new UUID(0x7000, number),
                CustomerChanged.AGGREGATE_TYPE,
                customer.customerId().getBytes(UTF_8),
                sequence,
                CustomerChanged.EVENT_TYPE.getBytes(UTF_8),
                Workload.CONTENT_TYPE.getBytes(UTF_8),
                payload,
                null,
                time);
    }
}

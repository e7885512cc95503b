package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The topic of dead letters is not there at first, and the broker goes away. */
class DeadLetterMirrorIT {
    private static final String DEAD = "sales.dead";

    private final LocalKafka kafka = LocalKafka.startOwn(Map.of("auto.create.topics.enable", "false"));
    private final SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), kafka, 1);
    private final List<ConsumerRecord<byte[], byte[]>> letters = new ArrayList<>();

    @AfterEach
    void close() {
        bed.close();
        kafka.close();
    }

    @Test
    void allThatIsParkedArrivesAsItCameOnceKafkaCanTakeIt() throws Exception {
        Subscription subscription =
                bed.start(bed.bare().deadLetterTopic(DEAD).on(Added.TYPE, Added.class, (event, c) -> {
                    throw new IllegalArgumentException("cannot", new IllegalStateException("inside"));
                }));
        ProducerRecord<byte[], byte[]> poison = bed.topic.added("a", 1);
        bed.topic.send(poison, bed.topic.added("a", 2), bed.topic.added("b", 3));
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(3));
        ParkedEvent discarded = subscription
                .parkedEvents()
                .events(new Aggregate("sales", "account", "b"), 0, 1)
                .get(0);
        assertThat(subscription.parkedEvents().discard(discarded.number(), "not needed", "ada"))
                .isTrue();
        kafka.stop();
        assertThat(bed.view.number("SELECT count(*) FROM tributary.parked_event WHERE mirrored_at IS NULL"))
                .isEqualTo(2);
        kafka.start();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(DEAD, 1, (short) 1))).all().get();
        }
        eventually(() -> assertThat(
                        bed.view.number(
                                "SELECT count(*) FROM (SELECT mirrored_at FROM tributary.parked_event"
                                        + " UNION ALL SELECT mirrored_at FROM tributary.discarded_event) m WHERE mirrored_at > '2000-01-01'"))
                .isEqualTo(3));
        readLetters();
        assertThat(letters).extracting(letter -> text(letter.value())).containsSubsequence(text(poison.value()));
        assertThat(letters.stream().map(letter -> text(letter.value())).distinct())
                .hasSize(3);
        ConsumerRecord<byte[], byte[]> first = letters.get(0);
        assertThat(first.key()).isEqualTo(poison.key());
        assertThat(first.value()).isEqualTo(poison.value());
        poison.headers()
                .forEach(header -> assertThat(header(first, header.key())).isEqualTo(header.value()));
        assertThat(text(header(first, "kafka_dlt-original-topic"))).isEqualTo(bed.topic.name());
        assertThat(ByteBuffer.wrap(header(first, "kafka_dlt-original-partition"))
                        .getInt())
                .isZero();
        assertThat(ByteBuffer.wrap(header(first, "kafka_dlt-original-offset")).getLong())
                .isZero();
        assertThat(text(header(first, "kafka_dlt-original-consumer-group"))).isEqualTo(bed.name);
        assertThat(text(header(first, "kafka_dlt-exception-fqcn"))).isEqualTo("java.lang.IllegalArgumentException");
        assertThat(text(header(first, "kafka_dlt-exception-message"))).isEqualTo("cannot");
        assertThat(text(header(first, "kafka_dlt-exception-stacktrace"))).contains("Caused by", "inside");
        assertThatThrownBy(
                        () -> bed.accounts().deadLetterTopic(bed.topic.name()).start())
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("dead-letter topic");
    }

    /** Which keeps the row that a redrive wants, and the redrive the position that batches want. */
    @Test
    void whoFreezesWhileItNotesWhatHasArrivedHoldsUpNobody() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(DEAD, 1, (short) 1))).all().get();
        }
        AtomicBoolean refusing = new AtomicBoolean(true);
        EventHandler<Added> handler = (event, connection) -> {
            if (refusing.get()) {
                throw new IllegalArgumentException("cannot");
            }
            ViewDatabase.apply(event, connection);
        };
        CountDownLatch noting = new CountDownLatch(1);
        CountDownLatch frozen = new CountDownLatch(1);
        DataSource freezing = CommitHook.before(bed.view.dataSource(), () -> {
            if (Thread.currentThread().getName().endsWith("-dead-letters")) {
                noting.countDown();
                assertThatCode(frozen::await).doesNotThrowAnyException();
            }
        });
        Timeouts impatient = Timeouts.ofDefaults()
                .withIdleInTransaction(Duration.ofSeconds(1))
                .withDatabase(Duration.ofSeconds(2));
        Subscription subscription = bed.start(bed.bare()
                .timeouts(impatient)
                .dataSource(freezing)
                .deadLetterTopic(DEAD)
                .on(Added.TYPE, Added.class, handler));
        bed.topic.send(bed.topic.added("a", 1));
        noting.await();
        refusing.set(false);
        assertThat(subscription.parkedEvents().redriveAll()).isEqualTo(new Redriven(1, 1, List.of()));
        bed.topic.send(bed.topic.added("a", 1));
        bed.eventuallyApplied(2);
        frozen.countDown();
    }

    /** Ends a producer's thread, as a class does that is not there any more after an upgrade. */
    public static final class Deadly implements MetricsReporter {
        static final AtomicBoolean DUE = new AtomicBoolean();

        @Override
        public void metricChange(KafkaMetric metric) {
            if (Thread.currentThread().getName().startsWith("kafka-producer") && DUE.getAndSet(false)) {
                throw new NoClassDefFoundError("simulated");
            }
        }

        @Override
        public void init(List<KafkaMetric> metrics) {}

        @Override
        public void metricRemoval(KafkaMetric metric) {}

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    @Test
    void kafkaClientThatSaysNothingAnyMoreIsReplaced() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.createTopics(List.of(new NewTopic(DEAD, 1, (short) 1))).all().get();
        }
        Deadly.DUE.set(true);
        Map<String, Object> settings = new HashMap<>(SubscriptionBed.kafkaSettings(kafka.bootstrapServers()));
        settings.put("metric.reporters", Deadly.class.getName());
        bed.start(bed.bare().kafka(settings).deadLetterTopic(DEAD).on(Added.TYPE, Added.class, (event, c) -> {
            throw new IllegalArgumentException("cannot");
        }));
        bed.topic.send(bed.topic.added("a", 1));
        eventually(() -> assertThat(
                        bed.view.number("SELECT count(*) FROM tributary.parked_event WHERE mirrored_at IS NOT NULL"))
                .isEqualTo(1));
        assertThat(Deadly.DUE).isFalse();
    }

    private void readLetters() {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(new TopicPartition(DEAD, 0)));
            eventually(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(letters::add);
                assertThat(letters).hasSizeGreaterThanOrEqualTo(3);
            });
        }
    }

    private static byte[] header(ConsumerRecord<byte[], byte[]> record, String name) {
        return record.headers().lastHeader(name).value();
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}

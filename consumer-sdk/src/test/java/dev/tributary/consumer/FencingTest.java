package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.tributary.consumer.PositionStore.Claim;
import dev.tributary.consumer.SubscriptionConfig.Policy;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.Upcasters;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FencingTest {
    private static final TopicPartition PARTITION = new TopicPartition("sales.account", 0);

    private final ViewDatabase view = new ViewDatabase(LocalPostgres.shared());
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final Timeouts timeouts =
            Timeouts.ofDefaults().withTakeover(Duration.ofMillis(500)).withIdleInTransaction(Duration.ofMinutes(2));
    private final PositionStore positions = new PositionStore("view", PARTITION, timeouts, null);
    private EventHandler<Added> handler = ViewDatabase::apply;

    @AfterEach
    void close() {
        executor.shutdownNow();
        view.close();
    }

    private BatchTransaction transaction() {
        SubscriptionConfig config = new SubscriptionConfig(
                "view",
                Map.of("bootstrap.servers", "127.0.0.1:1"),
                view.dataSource(),
                Set.of(PARTITION.topic()),
                new Handlers(
                        "view",
                        Map.of(Added.TYPE, TypeHandler.plain(Added.class, handler)),
                        PayloadReader.of(Upcasters.none()),
                        UnknownType.SKIP),
                Policy.DEFAULT,
                Limits.ofDefaults(),
                timeouts,
                null);
        return new BatchTransaction(PartitionRows.of(config, PARTITION, null));
    }

    private Claim claim() throws SQLException {
        try (Connection connection = view.dataSource().getConnection()) {
            return positions.claim(connection, "topic-id", 0);
        }
    }

    private static List<Incoming> batch(long offset) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                PARTITION.topic(), 0, offset, new byte[0], "{\"amount\":1}".getBytes(StandardCharsets.UTF_8));
        Map.of("ce_specversion", "1.0", "ce_id", "1", "ce_source", "/sales", "ce_type", Added.TYPE, "ce_subject", "x/a")
                .forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
        return List.of(new EventDecoder().decode(record));
    }

    @Test
    void oldOwnerChangesNothing() throws SQLException {
        Claim old = claim();
        Claim current = claim();
        BatchTransaction transaction = transaction();
        assertThat(transaction.attempt(batch(0), old, old.progress(), null)).isInstanceOf(Outcome.Fenced.class);
        assertThat(view.appliedCount()).isZero();
        assertThat(transaction.attempt(batch(0), current, current.progress(), null))
                .isInstanceOf(Outcome.Committed.class);
        assertThat(view.appliedCount()).isEqualTo(1);
    }

    @Test
    void ownerWithAStalePositionChangesNothing() throws SQLException {
        Claim claim = claim();
        BatchTransaction transaction = transaction();
        assertThat(transaction.attempt(batch(0), claim, claim.progress(), null)).isInstanceOf(Outcome.Committed.class);
        assertThat(transaction.attempt(batch(0), claim, claim.progress(), null)).isInstanceOf(Outcome.Fenced.class);
        assertThat(view.appliedCount()).isEqualTo(1);
    }

    @Test
    void newOwnerEndsATransactionThatHoldsThePartitionAndDoesNotWaitForEver() throws Exception {
        CountDownLatch inHandler = new CountDownLatch(1);
        CountDownLatch frozen = new CountDownLatch(1);
        handler = (event, connection) -> {
            ViewDatabase.apply(event, connection);
            inHandler.countDown();
            frozen.await();
        };
        Claim old = claim();
        BatchTransaction transaction = transaction();
        Future<Outcome> attempt = executor.submit(() -> transaction.attempt(batch(0), old, old.progress(), null));
        inHandler.await();

        long before = System.nanoTime();
        Awaitility.await().ignoreExceptionsInstanceOf(SQLException.class).until(() -> claim() != null);
        assertThat(Duration.ofNanos(System.nanoTime() - before))
                .as("not when the old owner's transaction has been idle for too long")
                .isLessThan(Duration.ofSeconds(30));
        frozen.countDown();
        assertThat(attempt.get()).isNotInstanceOf(Outcome.Committed.class);
        assertThat(view.appliedCount()).isZero();
    }

    /** Its row is not to be seen yet, so that nobody can find out whose session he waits for. */
    @Test
    void firstClaimThatFreezesBeforeItsCommitIsEnded() throws Exception {
        CountDownLatch committing = new CountDownLatch(1);
        CountDownLatch frozen = new CountDownLatch(1);
        try (SubscriptionBed bed = new SubscriptionBed()) {
            bed.start(bed.accounts()
                    .timeouts(Timeouts.ofDefaults().withIdleInTransaction(Duration.ofSeconds(1)))
                    .dataSource(CommitHook.before(bed.view.dataSource(), () -> {
                        committing.countDown();
                        assertThatCode(frozen::await).doesNotThrowAnyException();
                    })));
            committing.await();
            PositionStore other = new PositionStore(bed.name, bed.topic.partition(), timeouts, null);
            eventually(() -> {
                try (Connection connection = bed.view.dataSource().getConnection()) {
                    assertThat(other.claim(connection, "topic-id", 0)).isNotNull();
                }
            });
            frozen.countDown();
        }
    }

    @Test
    void instanceThatIsFencedClaimsAgainAsLongAsKafkaGivesItThePartition() {
        try (SubscriptionBed bed = new SubscriptionBed()) {
            Subscription subscription = bed.start();
            bed.topic.send(bed.topic.added("a", 1));
            bed.eventuallyApplied(1);
            bed.view.execute("UPDATE tributary.subscription_position SET owner = gen_random_uuid()");
            bed.topic.send(bed.topic.added("a", 2));
            eventually(() -> assertThat(subscription.status().totals().fenced()).isEqualTo(1));
            bed.eventuallyApplied(2);
            assertThat(subscription.status().totals().duplicates()).isZero();
        }
    }
}

package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.tributary.consumer.SubscriptionConfig.Policy;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.consumer.SubscriptionStatus.Counters;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.Upcasters;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParkedEventsTest {
    private static final long BAD = 666;
    private static final Timeouts IMPATIENT = Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(50));

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private volatile long refused = BAD;

    @AfterEach
    void close() {
        executor.shutdownNow();
        bed.close();
    }

    private Subscription startRefusing() {
        return bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            if (event.payload().amount() == refused) {
                throw new IllegalArgumentException("cannot add " + refused);
            }
        }));
    }

    private static Aggregate account(String id) {
        return new Aggregate("sales", "account", id);
    }

    private static void parks(Subscription subscription, long events) {
        eventually(
                () -> assertThat(subscription.parkedEvents().count().events()).isEqualTo(events));
    }

    @Test
    void redrivesInOrderFromAnyInstanceWhileEventsOfTheSameAggregateArrive() throws Exception {
        Subscription owner = startRefusing();
        topic.send(topic.added("p", 1), topic.added("p", BAD), topic.added("p", 1));
        parks(owner, 2);
        Subscription other = startRefusing();
        Future<Long> traffic = executor.submit(() -> {
            long sent = 3;
            while (sent < 2_000
                    || (sent < 100_000 && owner.parkedEvents().count().events() > 0)) {
                sent += sendTwenty();
            }
            return sent + sendTwenty(); // behind all that is parked
        });
        eventually(() -> assertThat(owner.parkedEvents().count().events()).isGreaterThan(300));
        refused = -1;
        Callable<Redriven> redrive = () -> other.parkedEvents().redrive(account("p"));
        List<Future<Redriven>> redrives =
                List.of(executor.submit(redrive), executor.submit(redrive), executor.submit(() -> owner.parkedEvents()
                        .redriveAll()));
        long redriven = 0;
        for (Future<Redriven> each : redrives) {
            assertThat(each.get().failed()).isEmpty();
            redriven += each.get().events();
        }
        long sent = traffic.get();
        long all = sent + sent - 3;
        bed.eventuallyApplied(all);
        assertThat(view.sequences().get("p"))
                .isEqualTo(LongStream.rangeClosed(1, sent).boxed().toList());
        assertThat(view.appliedIds()).doesNotHaveDuplicates();
        assertThat(owner.parkedEvents().count().events()).isZero();
        // By both of them: on a loaded machine the partition may have gone to the other one
        assertThat(total(owner, other, Counters::parked)).isEqualTo(redriven);
        assertThat(total(owner, other, Counters::redriven)).isEqualTo(redriven);
        // What came behind the last parked one was applied at once
        long applied = all - redriven;
        eventually(() -> assertThat(total(owner, other, Counters::applied))
                .isEqualTo(applied)
                .isGreaterThan(sent));
    }

    private int sendTwenty() {
        for (int i = 0; i < 20; i++) {
            topic.enqueue(topic.added("p", 1));
            topic.enqueue(topic.added("q", 1));
        }
        topic.flush();
        return 20;
    }

    private static long total(Subscription one, Subscription other, ToLongFunction<Counters> which) {
        return which.applyAsLong(one.status().totals())
                + which.applyAsLong(other.status().totals());
    }

    /** It must not run beside the batches of an owner whose partition it has not locked. */
    @Test
    void redriveLeavesAloneWhatIsParkedWhileItLooks() throws SQLException {
        Subscription owner = startRefusing();
        topic.send(topic.added("a", 1), topic.added("a", 1));
        bed.eventuallyApplied(2);
        ProducerRecord<byte[], byte[]> late = topic.added("a", 1);
        AtomicBoolean done = new AtomicBoolean();
        DataSource interrupted = before("FROM tributary.parked_event", () -> {
            if (!done.getAndSet(true)) {
                topic.send(topic.added("a", 1));
                parks(owner, 1);
            }
        });
        assertThat(parkedEvents(interrupted).redrive(account("a"))).isEqualTo(new Redriven(0, 0, List.of()));
        topic.send(topic.later(late), topic.added("a", 1));
        eventually(() ->
                assertThat(view.sequences().get("a").stream().sorted().toList()).hasSizeGreaterThan(3));
        assertThat(view.sequences().get("a")).isSorted();
    }

    /** A batch that has waited for a redrive must not go on with what it saw of parked events before. */
    @ParameterizedTest
    @ValueSource(strings = {"read committed", "repeatable read", "serializable"})
    void batchThatWaitsForARedriveSeesWhatItDidUnderAnyIsolation(String isolation) throws Exception {
        view.defaultIsolation(isolation);
        CountDownLatch batchWaits = new CountDownLatch(1);
        AtomicBoolean redriving = new AtomicBoolean();
        Subscription subscription = bed.start(bed.bare().on(Added.TYPE, Added.class, (event, connection) -> {
            ViewDatabase.apply(event, connection);
            if (event.payload().amount() == refused) {
                throw new IllegalArgumentException("cannot add " + refused);
            }
            if (redriving.getAndSet(false)) {
                batchWaits.await();
            }
        }));
        topic.send(topic.added("a", BAD));
        parks(subscription, 1);
        refused = -1;
        redriving.set(true);
        Future<Redriven> redrive =
                executor.submit(() -> subscription.parkedEvents().redrive(account("a")));
        eventually(() -> assertThat(redriving).isFalse());
        topic.send(topic.added("a", 1));
        eventually(() -> assertThat(
                        view.number(
                                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                        + " AND wait_event_type = 'Lock' AND query LIKE 'UPDATE tributary.subscription_position%'"))
                .isEqualTo(1));
        batchWaits.countDown();
        assertThat(redrive.get()).isEqualTo(new Redriven(1, 1, List.of()));
        bed.eventuallyApplied(2);
        assertThat(view.sequences()).isEqualTo(Map.of("a", List.of(1L, 2L)));
        assertThat(subscription.parkedEvents().count().events()).isZero();
    }

    private ParkedEvents parkedEvents(DataSource dataSource) {
        return parkedEvents(dataSource, ViewDatabase::apply);
    }

    private ParkedEvents parkedEvents(DataSource dataSource, EventHandler<Added> handler) {
        return parkedEvents(dataSource, handler, IMPATIENT);
    }

    private ParkedEvents parkedEvents(DataSource dataSource, EventHandler<Added> handler, Timeouts timeouts) {
        SubscriptionConfig config = new SubscriptionConfig(
                bed.name,
                SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()),
                dataSource,
                Set.of(topic.name()),
                new Handlers(
                        bed.name,
                        Map.of(Added.TYPE, TypeHandler.plain(Added.class, handler)),
                        PayloadReader.of(Upcasters.none()),
                        UnknownType.SKIP),
                Policy.DEFAULT,
                Limits.ofDefaults(),
                timeouts,
                null);
        return new ParkedEvents(config, partition -> new LiveCounters());
    }

    @Test
    void redriveThatBatchesCrowdOutHasThemWaitAboveReadCommitted() throws SQLException {
        Subscription owner = startRefusing();
        topic.send(topic.added("a", BAD));
        parks(owner, 1);
        view.defaultIsolation("repeatable read");
        AtomicInteger crowding = new AtomicInteger();
        assertThat(parkedEvents(busy(crowding)).redrive(account("a"))).isEqualTo(new Redriven(1, 1, List.of()));
        assertThat(crowding).hasPositiveValue();
        assertThat(owner.parkedEvents().count().events()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"repeatable read", "serializable"})
    void whatPeopleDecideIsNotCrowdedOutAboveReadCommitted(String isolation) throws SQLException {
        Subscription owner = startRefusing();
        topic.send(topic.added("a", BAD), topic.added("a", 1), topic.added("b", 1));
        ProducerRecord<byte[], byte[]> lost = topic.added("b", 1);
        topic.send(topic.added("b", 1));
        parks(owner, 3);
        view.defaultIsolation(isolation);
        AtomicInteger crowding = new AtomicInteger();
        ParkedEvents parked = parkedEvents(busy(crowding));
        assertThat(parked.acceptGap(account("b"), "lost for good", "ada")).isEqualTo(new Redriven(1, 1, List.of()));
        assertThat(parked.discard(parked.events(account("a"), 0, 1).get(0).number(), "typed wrongly", "ada"))
                .isTrue();
        assertThat(parked.discardAll(account("a"), "typed wrongly", "ada")).isEqualTo(1);
        assertThat(crowding).hasValueGreaterThan(3);
        topic.send(topic.added("a", 5), topic.later(lost));
        bed.eventuallyApplied(4);
        assertThat(view.totals()).isEqualTo(Map.of("a", 5L, "b", 3L));
        assertThat(owner.parkedEvents().count().events()).isZero();
    }

    @Test
    void failureOfARedriveIsRememberedThoughBatchesCrowdItOutAboveReadCommitted() throws SQLException {
        Subscription owner = startRefusing();
        topic.send(topic.added("a", BAD));
        parks(owner, 1);
        view.defaultIsolation("repeatable read");
        ParkedEvents parked = parkedEvents(busy(new AtomicInteger()), (event, connection) -> {
            throw new IllegalArgumentException("still wrong");
        });
        assertThat(parked.redrive(account("a")).failed()).hasSize(1);
        assertThat(owner.parkedEvents().aggregates(1))
                .singleElement()
                .satisfies(aggregate -> assertThat(aggregate.error()).contains("still wrong"));
    }

    /** As when its process is stopped, before it gets to the position that it wanted to have. */
    @Test
    void redriveThatFreezesWithAllBatchesWaitingForItIsEnded() throws Exception {
        Subscription owner = startRefusing();
        topic.send(topic.added("a", BAD));
        parks(owner, 1);
        view.defaultIsolation("repeatable read");
        CountDownLatch holding = new CountDownLatch(1);
        CountDownLatch frozen = new CountDownLatch(1);
        DataSource freezing = before(busy(new AtomicInteger()), "FROM tributary.parked_aggregate", () -> {
            if (view.number("SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND granted"
                            + " AND relation = 'tributary.subscription_position'::regclass")
                    > 0) {
                holding.countDown();
                assertThatCode(frozen::await).doesNotThrowAnyException();
            }
        });
        ParkedEvents impatient =
                parkedEvents(freezing, ViewDatabase::apply, IMPATIENT.withIdleInTransaction(Duration.ofSeconds(1)));
        Future<Redriven> redrive = executor.submit(() -> impatient.redrive(account("a")));
        holding.await();
        topic.send(topic.added("b", 1));
        bed.eventuallyApplied(1);
        frozen.countDown();
        assertThat(redrive.get()).isEqualTo(new Redriven(1, 1, List.of()));
    }

    /** As on a partition so busy that between any two statements of who works on what is parked a batch commits. */
    private DataSource busy(AtomicInteger crowding) {
        return before("SET next_offset = next_offset WHERE", () -> {
            try {
                view.execute("DO $$ BEGIN PERFORM set_config('lock_timeout', '200ms', true);"
                        + " UPDATE tributary.subscription_position SET next_offset = next_offset; END $$");
                crowding.incrementAndGet();
            } catch (IllegalStateException e) { // it waits
                assertThat(e).hasStackTraceContaining("lock timeout");
            }
        });
    }

    private DataSource before(String sql, Runnable action) {
        return before(view.dataSource(), sql, action);
    }

    private DataSource before(DataSource dataSource, String sql, Runnable action) {
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, args) -> {
                    Connection connection = dataSource.getConnection();
                    return Proxy.newProxyInstance(
                            getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, called, given) -> {
                                if (called.getName().equals("prepareStatement") && ((String) given[0]).contains(sql)) {
                                    action.run();
                                }
                                try {
                                    return called.invoke(connection, given);
                                } catch (InvocationTargetException e) {
                                    throw e.getTargetException();
                                }
                            });
                });
    }

    @Test
    void whatFailsAgainStaysWithItsNewErrorAndThoseBehindItWait() throws SQLException {
        Subscription subscription = startRefusing();
        topic.send(topic.added("a", BAD), topic.added("a", 1), topic.added("a", 667), topic.added("a", 1));
        topic.send(topic.added("b", BAD), topic.added("c", 1));
        parks(subscription, 5);
        ParkedEvents parked = subscription.parkedEvents();
        assertThat(parked.aggregates(10))
                .extracting(ParkedAggregate::aggregate, ParkedAggregate::events, ParkedAggregate::failedType)
                .containsExactly(tuple(account("a"), 4L, Added.TYPE), tuple(account("b"), 1L, Added.TYPE));
        assertThat(parked.redriveFailed("account.other.v1")).isEqualTo(new Redriven(0, 0, List.of()));

        Redriven inVain = parked.redrive(account("b"));
        assertThat(inVain.events()).isZero();
        assertThat(inVain.failed()).singleElement().satisfies(failed -> assertThat(failed.error())
                .contains("cannot add 666"));
        assertThat(parked.events(account("b"), 0, 10)).singleElement().satisfies(event -> assertThat(event.failure())
                .returns(4, ParkedEvent.Failure::attempts));

        refused = 667;
        Redriven half = parked.redriveFailed(Added.TYPE);
        assertThat(half.events()).isEqualTo(3);
        assertThat(half.aggregates()).isEqualTo(1);
        assertThat(half.failed()).extracting(Redriven.Failed::aggregate).containsExactly(account("a"));
        assertThat(view.totals()).isEqualTo(Map.of("a", BAD + 1, "b", BAD, "c", 1L));
        List<ParkedEvent> left = parked.events(account("a"), 0, 10);
        assertThat(left).extracting(ParkedEvent::sequence).containsExactly(3L, 4L);
        assertThat(left.get(0).failure()).satisfies(failure -> {
            assertThat(failure.error()).contains("cannot add 667");
            assertThat(failure.stack()).contains("ParkedEventsTest");
            assertThat(failure.attempts()).isEqualTo(2);
        });
        assertThat(left.get(1).failure()).isNull();
        topic.send(topic.added("a", 1), topic.added("b", 1));
        bed.eventuallyApplied(5);
        parks(subscription, 3);

        refused = -1;
        assertThat(parked.redriveAll()).isEqualTo(new Redriven(3, 1, List.of()));
        topic.send(topic.added("a", 1));
        bed.eventuallyApplied(9);
        assertThat(view.sequences().get("a")).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    }

    @Test
    void whatIsParkedForItsErrorWaitsForPeopleAlsoAfterARestart() throws SQLException {
        Subscription first = startRefusing();
        topic.send(topic.added("a", 1), topic.added("a", BAD), topic.added("a", 1));
        parks(first, 2);
        first.close();

        refused = -1;
        Subscription second = startRefusing();
        topic.send(topic.added("a", 1), topic.added("b", 1));
        parks(second, 3);
        bed.eventuallyApplied(2);
        assertThat(second.status().totals().redriven()).isZero();
        assertThat(second.parkedEvents().redriveAll()).isEqualTo(new Redriven(3, 1, List.of()));
        assertThat(view.sequences().get("a")).containsExactly(1L, 2L, 3L, 4L);
    }

    @Test
    void discardedEventsAreKeptAsTheyCameWithWhoAndWhy() throws SQLException {
        Subscription subscription = startRefusing();
        ProducerRecord<byte[], byte[]> poison = topic.added("a", BAD);
        byte[] noText = {(byte) 0xff, 0, 1};
        poison.headers().add("binary", noText).add("nothing", null).add("tenant", TestTopic.bytes("second"));
        topic.send(poison, topic.added("a", 1), topic.added("b", BAD), topic.added("b", 2), topic.added("b", 3));
        parks(subscription, 5);
        ParkedEvents parked = subscription.parkedEvents();
        ParkedEvent first = parked.events(account("a"), 0, 1).get(0);
        assertThat(first.id()).isEqualTo(TestTopic.id(poison));
        assertThat(first.record().headers().toArray())
                .isEqualTo(poison.headers().toArray());
        assertThat(new String(first.record().value(), StandardCharsets.UTF_8)).contains("666");

        assertThatThrownBy(() -> parked.discard(first.number(), " ", "ada"))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("reason");
        assertThat(parked.discard(first.number(), "typed wrongly", "ada")).isTrue();
        assertThat(parked.discard(first.number(), "typed wrongly", "ada")).isFalse();
        assertThat(parked.event(first.number())).isEmpty();
        assertThat(view.strings(
                        "SELECT concat_ws('|', event_id, reason, discarded_by, convert_from(record_value, 'UTF8'),"
                                + " now() - discarded_at < interval '1 minute') FROM tributary.discarded_event"))
                .containsExactly(
                        first.id() + "|typed wrongly|ada|" + new String(poison.value(), StandardCharsets.UTF_8) + "|t");
        assertThat(parked.redrive(account("a"))).isEqualTo(new Redriven(1, 1, List.of()));

        assertThat(parked.discardAll(account("b"), "test data", "bob")).isEqualTo(3);
        topic.send(topic.added("a", 1), topic.added("b", 5));
        bed.eventuallyApplied(3);
        assertThat(view.totals()).isEqualTo(Map.of("a", 2L, "b", 5L));
        assertThat(view.strings("SELECT sequence FROM tributary.discarded_event ORDER BY park_order"))
                .containsExactly("1", "1", "2", "3");
        assertThat(subscription.status().totals().discarded()).isEqualTo(4);
    }
}

package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.RecordBuffer.Seek;
import dev.tributary.consumer.SubscriptionConfig.Policy;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.Upcasters;
import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Random histories of one partition through everything that applies events, against a fold in memory: duplicates,
 * failures that pass and failures that do not, numbers that are missing, late or given up, redrives and discards in
 * between, batches of any size, workers that end and are cut off, replays. Kafka alone is played by the test.
 *
 * <p>{@code -Dtributary.histories=1 -Dtributary.seed=n} runs one again, except for what depends on time.
 */
class RandomHistoriesTest {
    private static final int HISTORIES = Integer.getInteger("tributary.histories", 10);
    private static final long SEED = Long.getLong("tributary.seed", new Random().nextLong(1_000_000_000));
    private static final int STEPS = 40;
    private static final int RECORDS_MAX = 1_000;
    private static final int AGGREGATES = 4;
    private static final String UNHANDLED = "account.seen.v1";
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;

    private static ViewDatabase view;
    private static TestTopic topic;
    private static TopicProbe probe;

    @BeforeAll
    static void create() {
        view = new ViewDatabase(LocalPostgres.shared());
        topic = new TestTopic(LocalKafka.shared(), 1);
        for (int i = 0; i < RECORDS_MAX; i++) {
            topic.enqueue(topic.foreign("nobody", "n", UNHANDLED, "{}"));
        }
        topic.flush();
        probe = new TopicProbe(
                SubscriptionBed.kafkaSettings(LocalKafka.shared().bootstrapServers()), Set.of(topic.name()));
    }

    @AfterAll
    static void close() {
        probe.close();
        topic.close();
        view.close();
    }

    @Test
    void viewEqualsTheFoldAndNothingIsInTwoPlaces() throws Exception {
        for (long seed = SEED; seed < SEED + HISTORIES; seed++) {
            Run run = new Run(seed);
            try {
                run.live();
                run.heal();
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            } finally {
                run.end();
            }
        }
    }

    /** An event as its source knows it. */
    private record Fact(String id, String aggregate, long sequence, long amount, boolean handled) {}

    /** One history, as it comes about. */
    private static final class Run {
        private final Random random;
        private final String name;
        private final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        private final List<Fact> facts = new ArrayList<>();
        private final Map<String, Fact> delivered = new HashMap<>();
        private final List<Fact> lost = new ArrayList<>();
        private final Map<String, Long> sequences = new HashMap<>();
        private final Set<String> refused = ConcurrentHashMap.newKeySet();
        private final Set<String> stumbling = ConcurrentHashMap.newKeySet();
        private final LiveCounters counters = new LiveCounters();
        private final boolean lateOnesHaveAPosition;
        private long lsn;
        private long furthest;
        private int offered = -1;
        private SubscriptionConfig config;
        private ParkedEvents parked;
        private PartitionWorker worker;

        Run(long seed) {
            random = new Random(seed);
            name = "history-" + seed;
            lateOnesHaveAPosition = random.nextBoolean();
            view.execute("TRUNCATE applied, total");
            start();
        }

        private void start() {
            config = new SubscriptionConfig(
                    name,
                    SubscriptionBed.kafkaSettings(LocalKafka.shared().bootstrapServers()),
                    view.dataSource(),
                    Set.of(topic.name()),
                    new Handlers(
                            name,
                            Map.of(Added.TYPE, TypeHandler.plain(Added.class, this::handle)),
                            PayloadReader.of(Upcasters.none()),
                            UnknownType.SKIP),
                    Policy.DEFAULT,
                    Limits.ofDefaults().withBatchEventsMax(1 + random.nextInt(12)),
                    Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(5)).withTakeover(Duration.ofMillis(200)),
                    null);
            parked = new ParkedEvents(config, partition -> counters);
            worker = new PartitionWorker(config, topic.partition(), probe, counters, () -> {}, () -> {}, null);
            offered = -1;
            worker.start();
        }

        private void handle(Event<Added> event, Connection connection) throws SQLException {
            ViewDatabase.apply(event, connection);
            if (refused.contains(event.id())) {
                throw new IllegalArgumentException("refused");
            }
            if (stumbling.remove(event.id())) {
                throw new SQLException("could not serialize access", "40001");
            }
        }

        void live() throws Exception {
            for (int step = 0; step < STEPS; step++) {
                step();
                if (random.nextBoolean()) {
                    settle();
                } else {
                    hand();
                }
                checkPlaces();
            }
        }

        private void step() throws Exception {
            switch (random.nextInt(13)) {
                case 0, 1, 2, 3, 4 -> happen(1 + random.nextInt(8));
                case 5 -> comeLate();
                case 6 -> repeat();
                case 7 -> refused.removeIf(id -> random.nextBoolean());
                case 8 -> parked.redrive(aggregate());
                case 9 -> parked.redriveAll();
                case 10 -> discard();
                case 11 -> acceptGap();
                default -> restart();
            }
        }

        private void happen(int events) {
            for (int i = 0; i < events; i++) {
                String aggregate = "a" + random.nextInt(AGGREGATES);
                long sequence = sequences.merge(aggregate, 1L, Long::sum);
                Fact fact = new Fact(
                        aggregate + "-" + sequence, aggregate, sequence, random.nextInt(100), random.nextInt(10) > 0);
                if (sequence > 1 && random.nextInt(8) == 0) {
                    lost.add(fact);
                    continue;
                }
                if (random.nextInt(8) == 0) {
                    refused.add(fact.id());
                }
                if (random.nextInt(20) == 0) {
                    stumbling.add(fact.id());
                }
                deliver(fact, true);
                if (random.nextInt(6) == 0) {
                    repeat();
                }
            }
        }

        private void comeLate() {
            if (!lost.isEmpty()) {
                Fact late = lost.remove(random.nextInt(lost.size()));
                if (random.nextInt(6) == 0) {
                    refused.add(late.id());
                }
                deliver(late, lateOnesHaveAPosition);
            }
        }

        private void deliver(Fact fact, boolean withPosition) {
            delivered.put(fact.id(), fact);
            record(fact, withPosition ? new Position(1, ++lsn, 0).toString() : null);
        }

        private void record(Fact fact, @Nullable String position) {
            ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                    topic.name(),
                    0,
                    records.size(),
                    TestTopic.bytes(fact.aggregate()),
                    TestTopic.bytes("{\"amount\":" + fact.amount() + "}"));
            Map<String, String> headers = new HashMap<>(Map.of(
                    WireHeaders.SPEC_VERSION,
                    WireHeaders.SPEC_VERSION_1_0,
                    WireHeaders.ID,
                    fact.id(),
                    WireHeaders.SOURCE,
                    "/sales",
                    WireHeaders.TYPE,
                    fact.handled() ? Added.TYPE : UNHANDLED,
                    WireHeaders.SUBJECT,
                    "account/" + fact.aggregate(),
                    WireHeaders.SEQUENCE,
                    Long.toString(fact.sequence())));
            if (position != null) {
                headers.put(WireHeaders.POSITION, position);
            }
            headers.forEach((header, value) -> record.headers().add(header, TestTopic.bytes(value)));
            records.add(record);
            facts.add(fact);
        }

        /** A record that is there already comes again, as a relay may send it; one without a position would count anew. */
        private void repeat() {
            if (!records.isEmpty()) {
                int again = random.nextInt(records.size());
                var position = records.get(again).headers().lastHeader(WireHeaders.POSITION);
                if (position != null) {
                    record(facts.get(again), new String(position.value(), StandardCharsets.UTF_8));
                }
            }
        }

        private Aggregate aggregate() {
            return new Aggregate("sales", "account", "a" + random.nextInt(AGGREGATES));
        }

        private void discard() throws SQLException {
            List<ParkedEvent> events = parked.events(aggregate(), 0, 100);
            if (!events.isEmpty()) {
                ParkedEvent one = events.get(random.nextInt(events.size()));
                if (random.nextInt(4) == 0) {
                    parked.discardAll(one.aggregate(), "not needed", "ada");
                } else {
                    parked.discard(one.number(), "not needed", "ada");
                }
            }
        }

        private void acceptGap() throws SQLException {
            try {
                parked.acceptGap(aggregate(), "lost for good", "ada");
            } catch (SubscriptionException e) {
                assertThat(e).hasMessageContaining("does not wait");
            }
        }

        /** Ends the worker, now and then in the middle of a transaction, and has another one begin, perhaps further back. */
        private void restart() throws InterruptedException {
            if (random.nextBoolean()) {
                worker.cut();
            }
            end();
            if (lateOnesHaveAPosition && random.nextInt(3) == 0) {
                goBackTo(random.nextInt(records.size() + 1));
            }
            start();
        }

        private void goBackTo(long offset) {
            furthest = Math.max(
                    furthest,
                    view.number(
                            "WITH before AS (SELECT subscription, next_offset FROM tributary.subscription_position WHERE "
                                    + ofThis()
                                    + " FOR UPDATE) UPDATE tributary.subscription_position p SET next_offset ="
                                    + " least(" + offset + ", p.next_offset) FROM before"
                                    + " WHERE p.subscription = before.subscription RETURNING before.next_offset"));
        }

        /** What Kafka has to do for a worker. */
        private void hand() {
            Seek seek = worker.takeSeek();
            if (seek != null) {
                worker.accept(seek);
                offered = (int) seek.offset();
            }
            if (offered >= 0 && offered < records.size()) {
                worker.offer(List.copyOf(records.subList(offered, records.size())), null);
                offered = records.size();
            }
        }

        private void settle() {
            eventually("all records are applied", () -> {
                hand();
                Long next = worker.status().nextOffset();
                return next != null && next == records.size();
            });
        }

        private interface Condition {
            boolean holds() throws SQLException;
        }

        private void eventually(String what, Condition condition) {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            try {
                while (!condition.holds()) {
                    assertThat(System.nanoTime() < deadline)
                            .as("%s in time; now %s", what, worker.status())
                            .isTrue();
                    LockSupport.parkNanos(200_000);
                }
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        }

        /** Each event that has been passed is applied, parked or discarded: one of the three, at every moment. */
        private void checkPlaces() {
            List<String> found = view.strings("SELECT 'at ' || next_offset FROM tributary.subscription_position WHERE "
                    + ofThis() + " UNION ALL SELECT event_id FROM applied UNION ALL"
                    + " SELECT event_id FROM tributary.parked_event WHERE " + ofThis() + " AND type = '" + Added.TYPE
                    + "' UNION ALL SELECT event_id FROM tributary.discarded_event WHERE " + ofThis() + " AND type = '"
                    + Added.TYPE + "'");
            List<String> ids = new ArrayList<>();
            for (String each : found) {
                if (each.startsWith("at ")) {
                    furthest = Math.max(furthest, Long.parseLong(each.substring(3)));
                } else {
                    ids.add(each);
                }
            }
            Set<String> passed = new HashSet<>();
            facts.subList(0, (int) furthest).stream().filter(Fact::handled).forEach(fact -> passed.add(fact.id()));
            assertThat(ids).doesNotHaveDuplicates();
            assertThat(new HashSet<>(ids)).isEqualTo(passed);
        }

        private String ofThis() {
            return "subscription = '" + name + "'";
        }

        /** Nothing is wrong with any event any more, and what was lost has come. */
        void heal() throws SQLException {
            while (!lost.isEmpty()) {
                comeLate();
            }
            refused.clear();
            settle();
            eventually("redriven", () -> {
                hand();
                Redriven redriven = parked.redriveAll();
                assertThat(redriven.failed()).isEmpty();
                return parked.count().equals(new ParkedCounts(0, 0, null));
            });
            checkPlaces();
            checkFold();
        }

        private void checkFold() {
            Set<String> discarded =
                    new HashSet<>(view.strings("SELECT event_id FROM tributary.discarded_event WHERE " + ofThis()));
            Set<String> accepted =
                    new HashSet<>(view.strings("SELECT aggregate_id || '-' || n FROM tributary.accepted_gap,"
                            + " generate_series(lower(missing), upper(missing) - 1) n WHERE " + ofThis()));
            Map<String, Long> totals = new TreeMap<>();
            Map<String, List<Long>> order = new TreeMap<>();
            delivered.values().stream()
                    .filter(fact -> fact.handled() && !discarded.contains(fact.id()))
                    .forEach(fact -> {
                        totals.merge(fact.aggregate(), fact.amount(), Long::sum);
                        if (!accepted.contains(fact.id())) {
                            order.computeIfAbsent(fact.aggregate(), a -> new ArrayList<>())
                                    .add(fact.sequence());
                        }
                    });
            order.values().forEach(each -> each.sort(null));
            assertThat(view.totals()).isEqualTo(totals);
            Map<String, List<Long>> applied = view.sequences();
            // What somebody has decided not to wait for is applied when it comes
            applied.forEach((aggregate, numbers) -> numbers.removeIf(n -> accepted.contains(aggregate + "-" + n)));
            applied.values().removeIf(List::isEmpty);
            assertThat(applied).isEqualTo(order);
        }

        void end() throws InterruptedException {
            worker.end();
            assertThat(worker.awaitEnd(PATIENCE)).isTrue();
        }
    }
}

package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Limits;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.TestTopic;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.ViewDatabase;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A topic, a database, and a view of {@link Accounts}. */
final class ViewBed implements AutoCloseable {
    /** So that a build of a few hundred events can be stopped midway. */
    static final Limits SMALL = Limits.ofDefaults().withBatchEventsMax(10);

    final String name = "accounts_" + UUID.randomUUID().toString().substring(0, 8);
    final SubscriptionBed bed;
    final ViewDatabase database;
    final TestTopic topic;
    /** What the view has to be: per account, the sum. */
    final Map<String, Long> totals = new TreeMap<>();

    private final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    private final List<View> started = new ArrayList<>();
    private int sent;

    ViewBed(int partitions) {
        this(LocalPostgres.shared(), partitions);
    }

    ViewBed(LocalPostgres postgres, int partitions) {
        bed = new SubscriptionBed(postgres, LocalKafka.shared(), partitions);
        database = bed.view;
        topic = bed.topic;
    }

    View.Builder view(int... versions) {
        View.Builder builder = view(name, bed.kafka.bootstrapServers(), database, topic.name());
        for (int version : versions) {
            builder.version(Accounts.version(version));
        }
        return builder;
    }

    static View.Builder view(String name, String bootstrapServers, ViewDatabase database, String topic) {
        return View.builder(name)
                .kafka(SubscriptionBed.kafkaSettings(bootstrapServers))
                .dataSource(database.dataSource())
                .topics(topic)
                .timeouts(Timeouts.ofDefaults()
                        .withRetryMax(Duration.ofMillis(500))
                        .withTakeover(Duration.ofSeconds(2)));
    }

    View start(View.Builder builder) {
        View view = builder.start();
        started.add(view);
        return view;
    }

    /** The first version is live and has caught up, and nobody feeds it. */
    void startLiveAlone() {
        try (View first = view(1).start()) {
            eventuallyLive(first, 1);
            assertEqualsTheFold(name);
        }
    }

    synchronized void send(int events) {
        for (int i = 0; i < events; i++) {
            topic.enqueue(next());
        }
        topic.flush();
    }

    /** An event to be sent by the caller. */
    synchronized ProducerRecord<byte[], byte[]> next() {
        String account = "a" + sent % 23;
        ProducerRecord<byte[], byte[]> record = topic.added(account, sent);
        records.add(record);
        totals.merge(account, (long) sent, Long::sum);
        sent++;
        return record;
    }

    /** All of it once more, as a relay would that replays. */
    void sendAgain() {
        records.forEach(topic::enqueue);
        topic.flush();
    }

    int sent() {
        return sent;
    }

    static ViewStatus.Version version(View view, int number) {
        return view.status().versions().stream()
                .filter(each -> each.version() == number)
                .findAny()
                .orElseThrow(() -> new AssertionError("no version " + number + " in " + view.status()));
    }

    static void eventuallyLive(View view, int version) {
        eventually(() ->
                assertThat(view.status().liveVersion()).as("%s", view.status()).isEqualTo(version));
    }

    /** How many events are in a version's tables. */
    long built(int version) {
        return state(version).isEmpty()
                ? 0
                : database.number("SELECT count(*) FROM " + name + "_v" + version + ".applied");
    }

    String state(int version) {
        return String.join(
                "",
                database.strings("SELECT state FROM tributary.view_version WHERE view = '" + name + "' AND version = "
                        + version));
    }

    /** Which version the two tables are of that readers see, and which one is live, at one moment. */
    String liveAndShown() {
        String query = "SELECT concat_ws(' ', (SELECT max(shape) FROM %1$s.account), (SELECT max(shape) FROM"
                + " %1$s.applied), (SELECT string_agg(version::text, ' ') FROM tributary.view_version"
                + " WHERE state = 'LIVE' AND view = '%1$s'))";
        return database.strings(query.formatted(name)).get(0);
    }

    /** The fold of what was sent, with each event once. */
    void assertEqualsTheFold(String schema) {
        eventually(() -> assertThat(database.number("SELECT count(*) FROM " + schema + ".applied"))
                .isEqualTo(sent));
        assertThat(database.number("SELECT count(DISTINCT event_id) FROM " + schema + ".applied"))
                .isEqualTo(sent);
        List<String> expected = totals.entrySet().stream()
                .map(each -> each.getKey() + "=" + each.getValue())
                .toList();
        assertThat(database.strings("SELECT aggregate_id || '=' || total FROM " + schema + ".account"))
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Override
    public void close() {
        started.forEach(View::close);
        bed.close();
    }
}

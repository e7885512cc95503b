package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.KafkaExtents.Extent;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an instance does for a view, twice a second: create the versions that are missing, feed those that are to be fed
 * and that it knows, at a pace that leaves the live one room, and switch when one has caught up.
 */
final class ViewLoop {
    private static final Logger LOG = LoggerFactory.getLogger(ViewLoop.class);
    private static final Duration EVERY = Duration.ofMillis(500);
    private static final Duration ASK_KAFKA_EVERY = Duration.ofSeconds(2);
    private static final Duration CREATE_RETRY = Duration.ofSeconds(5);
    /** Half of what a switch holds the live version for: so much may be left to apply when it begins. */
    private static final double CAUGHT_UP_WITHIN_SECONDS = 0.4;

    private static final long CAUGHT_UP_WITHIN_EVENTS = 50;

    private final String view;
    private final Surroundings surroundings;
    private final SortedMap<Integer, ViewVersion> known;
    private final Options options;
    private final VersionStore store;
    private final Set<String> topics;
    private final Creation creation;
    private final Commands commands;
    private final Fleet fleet;
    private final AutomaticSwitch automatic;
    private final Thread thread;
    private final Semaphore wakes = new Semaphore(0);
    private volatile boolean closing;
    private volatile ViewStatus status;
    private volatile Map<TopicPartition, Extent> extents = Map.of();
    private final Map<Integer, Gauging> gauges = new TreeMap<>();
    private SortedMap<Integer, Map<TopicPartition, Long>> starts = new TreeMap<>();
    private long askKafkaAt = System.nanoTime();
    private long createAt = System.nanoTime();
    private long liveLagBefore;
    private @Nullable KafkaExtents kafka;
    private boolean kafkaAsked;
    private String problem = "";
    private String creationProblem = "";
    private String kafkaProblem = "";

    /**
     * What a view was told.
     *
     * @param liveLagMax in events; above it, builds make room
     */
    record Options(boolean switchAutomatically, long buildEventsPerSecondMax, long liveLagMax) {}

    ViewLoop(String view, Surroundings surroundings, SortedMap<Integer, ViewVersion> versions, Options options) {
        this.view = view;
        this.surroundings = surroundings;
        this.known = new TreeMap<>(versions);
        this.options = options;
        this.store = new VersionStore(view);
        this.creation = new Creation(view, surroundings, known, store);
        creation.check();
        this.topics = known.values().stream()
                .flatMap(version ->
                        Stream.concat(creation.topics(version).stream(), version.history().replays().stream()))
                .collect(Collectors.toUnmodifiableSet());
        this.commands = new Commands(view, surroundings.dataSource(), store, creation, this::ends, wakes::release);
        this.fleet = new Fleet(view, surroundings, known, store, options.buildEventsPerSecondMax());
        this.automatic = new AutomaticSwitch(commands, fleet);
        this.status = new ViewStatus(view, null, "starting", List.of());
        this.thread = new Thread(this::run, "tributary-view-" + view);
    }

    String name() {
        return view;
    }

    Set<Integer> knownVersions() {
        return Set.copyOf(known.keySet());
    }

    ViewStatus status() {
        return status;
    }

    Commands commands() {
        return commands;
    }

    Surroundings surroundings() {
        return surroundings;
    }

    Set<String> topics() {
        return topics;
    }

    void onCommit(Runnable listener) {
        fleet.onCommit(listener);
    }

    List<Subscription> subscriptions() {
        return fleet.subscriptions();
    }

    private Map<TopicPartition, Long> ends() {
        return extents.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, each -> each.getValue()
                .end()));
    }

    void start() {
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!closing) {
            attempt();
            rest();
        }
        fleet.close();
        if (kafka != null) {
            kafka.close();
        }
    }

    private void rest() {
        try {
            var unused = wakes.tryAcquire(EVERY.toMillis(), TimeUnit.MILLISECONDS);
            wakes.drainPermits();
        } catch (InterruptedException e) {
            LOG.debug("view {}: interrupted; only close() is for ending this thread", view);
        }
    }

    private void attempt() {
        String before = problem;
        try {
            createIfDue();
            askKafkaIfDue();
            look();
            problem = creationProblem.isEmpty() ? kafkaProblem : creationProblem;
        } catch (SQLException | SubscriptionException e) {
            cannot(String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            LOG.debug("view {}: interrupted while it asked Kafka", view);
        } catch (RuntimeException | Error e) { // a thread that ended here would leave a view that nobody feeds
            cannot(e.toString());
            LOG.error("view {}: failed in an unforeseen way, and tries again", view, e);
        }
        if (!problem.equals(before)) {
            LOG.warn("view {}: {}", view, problem.isEmpty() ? "no problem any more" : problem);
        }
    }

    private void cannot(String why) {
        problem = why;
        status = new ViewStatus(view, status.liveVersion(), problem, status.versions());
    }

    private void createIfDue() {
        long now = System.nanoTime();
        if (now < createAt) {
            return;
        }
        try {
            creation.ofMissing();
            creationProblem = "";
        } catch (SQLException | SubscriptionException e) {
            creationProblem = String.valueOf(e.getMessage());
            createAt = now + CREATE_RETRY.toNanos();
        }
    }

    private void askKafkaIfDue() throws InterruptedException {
        long now = System.nanoTime();
        if (now < askKafkaAt) {
            return;
        }
        askKafkaAt = now + ASK_KAFKA_EVERY.toNanos();
        try {
            // Cannot even be made while none of the brokers' names is known
            KafkaExtents kafka = this.kafka == null ? new KafkaExtents(surroundings.kafka()) : this.kafka;
            this.kafka = kafka;
            Map<TopicPartition, Extent> found = kafka.of(topics);
            SortedMap<Integer, Map<TopicPartition, Long>> begins = new TreeMap<>();
            for (ViewVersion version : known.values()) {
                begins.put(version.number(), kafka.starts(found, version.history()));
            }
            starts = begins;
            extents = found;
            kafkaAsked = true;
            kafkaProblem = "";
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            kafkaProblem = "Kafka does not say how far its topics reach: "
                    + (e.getCause() == null ? e : e.getCause()).getMessage();
        }
    }

    /** What the database had at one moment. */
    private record Sight(SortedMap<Integer, VersionRow> rows, Map<Integer, Positions> positions) {}

    private void look() throws SQLException {
        Sight sight = Transactions.get(surroundings.dataSource(), connection -> {
            SortedMap<Integer, VersionRow> rows = store.read(connection);
            Map<Integer, Positions> positions = new TreeMap<>();
            for (VersionRow row : rows.values()) {
                if (row.state().isFed()) {
                    positions.put(row.version(), Positions.read(connection, row.subscription()));
                }
            }
            return new Sight(rows, positions);
        });
        fleet.adjust(sight.rows());
        VersionRow live = VersionStore.live(sight.rows()).orElse(null);
        if (live != null) {
            markCaughtUp(sight, live);
            if (kafkaAsked) {
                kafkaAsked = false;
                pace(sight, live);
            }
            if (options.switchAutomatically() && automatic.attempt(dueForSwitch(sight, live))) {
                wakes.release();
            }
        }
        status = describe(sight, live);
    }

    private void markCaughtUp(Sight sight, VersionRow live) throws SQLException {
        for (VersionRow row : sight.rows().values()) {
            if (row.state().isFed() && row.state() != VersionState.LIVE) {
                Lag lag = Lag.between(live, at(sight, live), row, at(sight, row), ends());
                boolean caughtUp = lag.total() <= littleFor(row) && hasBegun(row, at(sight, row));
                if (caughtUp != (row.caughtUpAt() != null)) {
                    Transactions.run(
                            surroundings.dataSource(),
                            connection -> store.caughtUp(connection, row.version(), caughtUp));
                }
            }
        }
    }

    /** How few events a version is about to have applied, at its latest rate. */
    private double littleFor(VersionRow row) {
        double perSecond = status.versions().stream()
                .filter(each -> each.version() == row.version())
                .map(ViewStatus.Version::progress)
                .filter(Objects::nonNull)
                .mapToDouble(ViewStatus.Progress::perSecond)
                .sum();
        return Math.max(CAUGHT_UP_WITHIN_EVENTS, perSecond * CAUGHT_UP_WITHIN_SECONDS);
    }

    /** In every partition that Kafka has: nobody knows what is missing of one that has not been claimed. */
    private boolean hasBegun(VersionRow row, Positions positions) {
        Map<TopicPartition, Extent> known = extents;
        return !known.isEmpty()
                && known.keySet().stream()
                        .filter(partition -> row.topics().contains(partition.topic()))
                        .allMatch(partition -> positions.all().containsKey(partition));
    }

    private static Positions at(Sight sight, VersionRow row) {
        return sight.positions().getOrDefault(row.version(), new Positions(Map.of()));
    }

    private void pace(Sight sight, VersionRow live) {
        long lag = 0;
        for (Map.Entry<TopicPartition, Extent> each : extents.entrySet()) {
            Positions.Position position = at(sight, live).all().get(each.getKey());
            if (position != null && live.topics().contains(each.getKey().topic())) {
                lag += Math.max(0, each.getValue().end() - position.nextOffset());
            }
        }
        if (lag > options.liveLagMax() && lag > liveLagBefore) {
            fleet.slowDown();
        } else {
            fleet.speedUp();
        }
        liveLagBefore = lag;
    }

    private List<VersionRow> dueForSwitch(Sight sight, VersionRow live) {
        return sight.rows().values().stream()
                .filter(row -> known.containsKey(row.version())
                        && row.state() == VersionState.BUILDING
                        && row.version() > live.version()
                        && row.caughtUpAt() != null
                        && !row.paused())
                .toList();
    }

    private ViewStatus describe(Sight sight, @Nullable VersionRow live) {
        List<ViewStatus.Version> versions = new ArrayList<>();
        for (VersionRow row : sight.rows().values()) {
            versions.add(describe(row, at(sight, row)));
        }
        return new ViewStatus(view, live == null ? null : live.version(), problem, List.copyOf(versions));
    }

    private ViewStatus.Version describe(VersionRow row, Positions positions) {
        ViewVersion version = known.get(row.version());
        List<String> problems = new ArrayList<>();
        ViewStatus.Progress progress = null;
        if (row.state().isFed()) {
            problems.addAll(fleet.problems(row));
            String withheld = automatic.withheld(row.version());
            if (withheld != null) {
                problems.add(withheld);
            }
            History history = version == null ? History.whole() : version.history();
            Map<TopicPartition, Extent> own = extentsOf(row, history);
            if (version != null) {
                problems.addAll(Gauging.missing(row.version(), history, own, positions));
            }
            progress = own.isEmpty() ? null : progress(row, history, own, positions);
        } else {
            gauges.remove(row.version());
        }
        return new ViewStatus.Version(
                row.version(),
                row.state(),
                row.paused(),
                version != null,
                row.caughtUpAt(),
                progress,
                List.copyOf(problems));
    }

    private Map<TopicPartition, Extent> extentsOf(VersionRow row, History history) {
        return extents.entrySet().stream()
                .filter(each -> row.topics().contains(each.getKey().topic())
                        || history.replays().contains(each.getKey().topic()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private ViewStatus.Progress progress(
            VersionRow row, History history, Map<TopicPartition, Extent> own, Positions positions) {
        Gauging gauge = gauges.computeIfAbsent(row.version(), v -> new Gauging());
        return history.replays().isEmpty()
                ? gauge.progress(own, starts.getOrDefault(row.version(), Map.of()), positions, System.nanoTime())
                : gauge.progressFromReplays(own, history.replays(), positions, System.nanoTime());
    }

    void close() {
        closing = true;
        wakes.release();
        try {
            thread.join(
                    surroundings.timeouts().close().plus(Duration.ofSeconds(20)).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package dev.tributary.consumer.view;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.KafkaExtents.Extent;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an instance does for a view, twice a second: create the versions that are missing, feed those that are to be fed
 * and that it knows, at a pace that leaves the live one room, and switch when one has caught up.
 */
final class ViewLoop {
    private static final Logger LOG = LoggerFactory.getLogger(ViewLoop.class);
    private static final Duration EVERY = Duration.ofMillis(500);
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
    private final KafkaReach kafka;
    private final VersionStatuses statuses;
    private final Thread thread;
    private final Semaphore wakes = new Semaphore(0);
    private volatile boolean closing;
    private volatile ViewStatus status;
    private long createAt = System.nanoTime();
    private long liveLagBefore;
    private String problem = "";
    private String creationProblem = "";

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
        this.kafka = new KafkaReach(surroundings.kafka(), topics, known.values());
        this.commands = new Commands(view, surroundings.dataSource(), store, creation, kafka::ends, wakes::release);
        this.fleet = new Fleet(view, surroundings, known, store, options.buildEventsPerSecondMax());
        this.automatic = new AutomaticSwitch(commands, fleet);
        this.statuses = new VersionStatuses(known, fleet, automatic, kafka);
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
        kafka.close();
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
            boolean newEnds = kafka.askIfDue();
            look(newEnds);
            problem = creationProblem.isEmpty() ? kafka.problem() : creationProblem;
        } catch (SQLException e) {
            cannot(e.getMessage() + ConsumerSchema.remedy(e));
        } catch (SubscriptionException e) {
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

    /** What the database had at one moment. */
    record Sight(SortedMap<Integer, VersionRow> rows, Map<Integer, Positions> positions) {
        Positions of(VersionRow row) {
            return positions.getOrDefault(row.version(), new Positions(Map.of()));
        }
    }

    /** @param newEnds whether Kafka has been asked since the last look */
    private void look(boolean newEnds) throws SQLException {
        Sight sight = see();
        fleet.adjust(sight.rows());
        VersionRow live = VersionStore.live(sight.rows()).orElse(null);
        if (live != null) {
            markCaughtUp(sight, live);
            if (newEnds) {
                pace(sight, live);
            }
            if (options.switchAutomatically() && automatic.attempt(dueForSwitch(sight, live))) {
                wakes.release();
            }
        }
        status = new ViewStatus(view, live == null ? null : live.version(), problem, statuses.of(sight));
    }

    private Sight see() throws SQLException {
        return Transactions.get(surroundings.dataSource(), connection -> {
            SortedMap<Integer, VersionRow> rows = store.read(connection);
            Map<Integer, Positions> positions = new TreeMap<>();
            for (VersionRow row : rows.values()) {
                if (row.state().isFed()) {
                    positions.put(row.version(), Positions.read(connection, row.subscription()));
                }
            }
            return new Sight(rows, positions);
        });
    }

    private void markCaughtUp(Sight sight, VersionRow live) throws SQLException {
        for (VersionRow row : sight.rows().values()) {
            if (row.state().isFed() && row.state() != VersionState.LIVE) {
                Lag lag = Lag.between(live, sight.of(live), row, sight.of(row), kafka.ends());
                boolean caughtUp = lag.total() <= littleFor(row) && hasBegun(row, sight.of(row));
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
        Set<TopicPartition> existing = kafka.extents().keySet();
        return !existing.isEmpty()
                && existing.stream()
                        .filter(partition -> row.topics().contains(partition.topic()))
                        .allMatch(partition -> positions.all().containsKey(partition));
    }

    private void pace(Sight sight, VersionRow live) {
        long lag = 0;
        for (Map.Entry<TopicPartition, Extent> each : kafka.extents().entrySet()) {
            Positions.Position position = sight.of(live).all().get(each.getKey());
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

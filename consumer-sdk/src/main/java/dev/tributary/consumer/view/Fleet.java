package dev.tributary.consumer.view;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The subscriptions by which this instance feeds those versions that it knows. */
final class Fleet {
    private static final Logger LOG = LoggerFactory.getLogger(Fleet.class);

    private final String view;
    private final Surroundings surroundings;
    private final SortedMap<Integer, ViewVersion> known;
    private final VersionStore store;
    private final long eventsPerSecondMax;
    private final Map<Integer, Fed> fed = new ConcurrentSkipListMap<>();
    private volatile Runnable afterCommit = () -> {};

    private record Fed(AsideBuild build, Feeding feeding) {}

    Fleet(
            String view,
            Surroundings surroundings,
            SortedMap<Integer, ViewVersion> known,
            VersionStore store,
            long eventsPerSecondMax) {
        this.view = view;
        this.surroundings = surroundings;
        this.known = known;
        this.store = store;
        this.eventsPerSecondMax = eventsPerSecondMax;
    }

    /** Feeds what the rows want to be fed, and is known here, and nothing else. */
    void adjust(SortedMap<Integer, VersionRow> rows) throws SQLException {
        fed.entrySet().removeIf(each -> closed(each.getKey(), each.getValue(), rows.get(each.getKey())));
        for (VersionRow row : rows.values()) {
            ViewVersion version = known.get(row.version());
            if (version != null && row.state().isFed() && row.fingerprint().equals(version.fingerprint())) {
                Fed one = fed.get(row.version());
                if (one == null) {
                    one = feed(row, version);
                    fed.put(row.version(), one);
                }
                one.feeding().paused(row.paused());
                one.feeding().unhurried(row.state() == VersionState.BUILDING && row.caughtUpAt() == null);
            }
        }
    }

    private boolean closed(int version, Fed one, @Nullable VersionRow row) {
        if (row != null && row.state().isFed()) {
            return false;
        }
        LOG.info("view {}: version {} is not fed any more", view, version);
        one.build().close();
        return true;
    }

    private Fed feed(VersionRow row, ViewVersion version) throws SQLException {
        Feeding feeding = new Feeding(
                row.schema(),
                version.history(),
                connection -> store.isFed(connection, row.version()),
                new Pacing(eventsPerSecondMax));
        feeding.paused(row.paused());
        AsideBuild build = AsideBuild.feed(surroundings, row.subscription(), version, feeding);
        build.subscription().wiring().onCommit(() -> afterCommit.run());
        Set<String> topics = build.subscription().topics();
        try {
            if (!topics.equals(row.topics())) {
                Transactions.run(
                        surroundings.dataSource(), connection -> store.reads(connection, row.version(), topics));
            }
        } catch (SQLException | RuntimeException | Error e) {
            build.close(); // or it would go on beside the one that the next attempt starts
            throw e;
        }
        LOG.info("view {}: feeding version {}, {}", view, row.version(), row.state());
        return new Fed(build, feeding);
    }

    void slowDown() {
        fed.values().forEach(each -> each.feeding().pacing().slowDown());
    }

    void speedUp() {
        fed.values().forEach(each -> each.feeding().pacing().speedUp());
    }

    void onCommit(Runnable listener) {
        afterCommit = listener;
    }

    /** How many events of a version are parked, by all instances. */
    long parked(int version) throws SQLException {
        Fed one = fed.get(version);
        return one == null
                ? 0
                : one.build().subscription().parkedEvents().count().events();
    }

    /** What people should know about how a version is fed here. */
    List<String> problems(VersionRow row) {
        ViewVersion version = known.get(row.version());
        Fed one = fed.get(row.version());
        List<String> problems = new ArrayList<>();
        if (version == null) {
            problems.add("this instance does not know version " + row.version()
                    + ", so others have to feed it; keep its code until it is retired");
        } else if (!row.fingerprint().equals(version.fingerprint())) {
            problems.add("version " + row.version() + " was created by other SQL than this instance has, which does not"
                    + " feed it: give changed tables a new number");
        } else if (one != null) {
            one.build().status().partitions().stream()
                    .filter(partition -> partition.state() == PartitionStatus.State.STOPPED
                            || partition.state() == PartitionStatus.State.RETRYING)
                    .forEach(partition -> problems.add(problem(partition)));
        }
        return problems;
    }

    private static String problem(PartitionStatus partition) {
        boolean stopped = partition.state() == PartitionStatus.State.STOPPED;
        return partition.topic() + "-" + partition.partition() + ": " + partition.reason() + "; "
                + (stopped ? partition.remedy() : "trying again");
    }

    List<Subscription> subscriptions() {
        return fed.values().stream().map(each -> each.build().subscription()).toList();
    }

    void close() {
        fed.values().forEach(each -> each.build().close());
    }
}

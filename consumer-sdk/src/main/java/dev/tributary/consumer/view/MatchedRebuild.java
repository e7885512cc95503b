package dev.tributary.consumer.view;

import dev.tributary.consumer.Aggregate;
import dev.tributary.consumer.ParkedAggregate;
import dev.tributary.consumer.ParkedEvents;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.Positions.Position;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rebuild in a schema of its own that never gets ahead of the live tables, and can be brought to exactly where they are.
 * One at a time for the same live tables; what a killed one has left is removed by the next one.
 */
final class MatchedRebuild implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MatchedRebuild.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(100);
    private static final Duration STALLED_AFTER = Duration.ofMinutes(5);
    /** Near enough that the last bit does not take long, with the live database's snapshot being held. */
    private static final long NEAR_EVENTS = 2_000;

    private static final int APPROACHES_MAX = 50;
    private static final int PARKED_MAX = 100_000;

    private final Surroundings surroundings;
    private final LiveTables live;
    private final Scratch scratch;
    private final String name;
    private final FateSource fates;
    private final MatchedFeed feed;
    private final Subscription subscription;

    /** How the live view's dealings with single events are found out. */
    interface FateSource {
        EventFates read(Connection connection, String subscription) throws SQLException;
    }

    private MatchedRebuild(
            Surroundings surroundings,
            LiveTables live,
            Scratch scratch,
            FateSource fates,
            ViewVersion version,
            long eventsPerSecondMax)
            throws SQLException {
        this.surroundings = surroundings;
        this.live = live;
        this.scratch = scratch;
        this.name = scratch.name();
        this.fates = fates;
        scratch.create(version.scripts());
        feed = new MatchedFeed(scratch.schema(), version.history(), new Pacing(eventsPerSecondMax));
        Subscription.Builder builder = surroundings.subscription(name);
        version.handlers().accept(builder);
        subscription = builder.dataSource(surroundings.dataSource()).feed(feed).start();
    }

    /**
     * Starts it, with nothing to apply yet.
     *
     * @param purpose a word that tells what it is for; part of its names
     * @throws SubscriptionException if there is one already, or its schema is somebody else's
     */
    static MatchedRebuild start(
            Surroundings surroundings,
            LiveTables live,
            String purpose,
            FateSource fates,
            ViewVersion version,
            long eventsPerSecondMax)
            throws SQLException {
        Scratch scratch =
                Scratch.lock(surroundings.dataSource(), live.subscriptionFor(purpose), live.schemaFor(purpose));
        try {
            return new MatchedRebuild(surroundings, live, scratch, fates, version, eventsPerSecondMax);
        } catch (SQLException | RuntimeException e) {
            scratch.unlock();
            throw e;
        }
    }

    String schema() {
        return scratch.schema();
    }

    Subscription subscription() {
        return subscription;
    }

    /** Applies until it is near where the live tables are, or has not come nearer for a while. */
    void approach() throws SQLException, InterruptedException {
        if (!feed.history().replays().isEmpty()) {
            awaitEndOfHistory();
        }
        for (int i = 0; i < APPROACHES_MAX; i++) {
            Positions seen = Transactions.get(surroundings.dataSource(), connection -> follow(connection, false));
            await(seen, STALLED_AFTER);
            Positions now = livePositions().of(subscription.topics());
            if (distance(seen, now) <= NEAR_EVENTS) {
                return;
            }
        }
        LOG.info("{}: the live tables are changed faster than this gets nearer to them", name);
    }

    /**
     * A replay cannot be stopped in the middle, so the live tables have to have what it holds. They do where they are behind the ends
     * of the live topics: a replay is complete only once the relay has come past all of it.
     */
    private void awaitEndOfHistory() throws SQLException, InterruptedException {
        refuseUnknown(livePositions());
        awaitLive(liveEnds());
        Patience patience = new Patience("the rebuild has to apply its history", STALLED_AFTER);
        Positions here = positions(name);
        while (here.of(subscription.topics()).all().isEmpty()) {
            Transactions.get(surroundings.dataSource(), connection -> follow(connection, false));
            patience.spend(here);
            here = positions(name);
        }
        awaitLive(liveEnds()); // there may have been a further round
    }

    private void awaitLive(Map<TopicPartition, Long> ends) throws SQLException, InterruptedException {
        Patience patience =
                new Patience("the live tables have to apply what the replay holds too, up to " + ends, STALLED_AFTER);
        for (Positions now = livePositions(); !includes(now, ends); now = livePositions()) {
            patience.spend(now);
        }
    }

    private Map<TopicPartition, Long> liveEnds() throws InterruptedException {
        try (KafkaExtents kafka = new KafkaExtents(surroundings.kafka())) {
            Map<TopicPartition, Long> ends = new HashMap<>();
            kafka.of(subscription.topics()).forEach((partition, extent) -> ends.put(partition, extent.end()));
            return ends;
        } catch (ExecutionException | TimeoutException e) {
            throw new SubscriptionException(name + ": Kafka does not say where the live topics end", e);
        }
    }

    private static boolean includes(Positions positions, Map<TopicPartition, Long> ends) {
        Map<TopicPartition, Long> offsets = positions.offsets();
        return ends.entrySet().stream().allMatch(each -> offsets.getOrDefault(each.getKey(), 0L) >= each.getValue());
    }

    private Positions livePositions() throws SQLException {
        return positions(live.subscription());
    }

    private Positions positions(String subscription) throws SQLException {
        return Transactions.get(surroundings.dataSource(), connection -> Positions.read(connection, subscription));
    }

    /** Topics that the live tables have positions in, and this does not read. */
    Set<String> unread(Connection connection) throws SQLException {
        return Positions.read(connection, live.subscription()).all().keySet().stream()
                .map(TopicPartition::topic)
                .filter(topic -> !subscription.topics().contains(topic)
                        && !feed.history().replays().contains(topic))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Where it has read the history that it does not have from the live topics; empty if there is none. */
    Map<TopicPartition, Long> replayed() throws SQLException {
        Map<TopicPartition, Long> replayed = new HashMap<>(positions(name).offsets());
        replayed.keySet().removeIf(each -> !feed.history().replays().contains(each.topic()));
        return replayed;
    }

    /** Waiting for something that moves. Used by one thread. */
    private final class Patience {
        private final String wanted;
        private final Duration max;
        private Positions before = new Positions(Map.of());
        private long since = System.nanoTime();

        Patience(String wanted, Duration max) {
            this.wanted = wanted;
            this.max = max;
        }

        /** Waits a little; throws if nothing has moved for too long, or never will. */
        void spend(Positions now) throws InterruptedException {
            refuseStopped();
            if (!now.equals(before)) {
                before = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > max.toNanos()) {
                throw new SubscriptionException(name + ": " + wanted + ", and nothing has come further than "
                        + now.offsets() + " for " + max + ": " + standing());
            }
            Thread.sleep(LOOK_EVERY.toMillis());
        }
    }

    private static long distance(Positions from, Positions to) {
        Map<TopicPartition, Long> before = from.offsets();
        return to.offsets().entrySet().stream()
                .mapToLong(each -> each.getValue() - before.getOrDefault(each.getKey(), 0L))
                .sum();
    }

    /**
     * Lets it apply what the live tables have applied as this transaction sees them, and no more.
     *
     * @param locked whether to keep them from changing until the transaction ends
     */
    Positions follow(Connection connection, boolean locked) throws SQLException {
        // Positions first: whatever they include has its fate by then
        Positions all = locked
                ? Positions.lock(connection, live.subscription())
                : Positions.read(connection, live.subscription());
        Positions positions = all.of(subscription.topics()); // without those of the history that they were built from
        refuseUnknown(positions);
        feed.follow(positions.offsets(), fates.read(connection, live.subscription()));
        return positions;
    }

    /**
     * Waits until it is there.
     *
     * @param max how long to wait without coming nearer
     * @throws SubscriptionException if it does not get there; says why
     */
    void await(Positions target, Duration max) throws SQLException, InterruptedException {
        Patience patience = new Patience("the rebuild has to get to " + target.offsets(), max);
        for (Positions here = positions(name); !isAt(here, target); here = positions(name)) {
            patience.spend(here);
        }
    }

    /**
     * Applies what it has parked and the live view, as this transaction sees it, has not: because it was redriven there
     * meanwhile, or a gap before it has been accepted. What cannot be applied stays parked.
     */
    void settle(Connection connection) throws SQLException {
        ParkedEvents parked = subscription.parkedEvents();
        for (ParkedAggregate each : parked.aggregates(PARKED_MAX)) {
            if (!isParkedLive(connection, each.aggregate())) {
                parked.redrive(each.aggregate());
            }
        }
    }

    private boolean isParkedLive(Connection connection, Aggregate aggregate) throws SQLException {
        try (PreparedStatement query =
                connection.prepareStatement("SELECT EXISTS (SELECT FROM tributary.parked_event WHERE subscription = ?"
                        + " AND source = ? AND aggregate_type = ? AND aggregate_id = ?)")) {
            query.setString(1, live.subscription());
            query.setString(2, aggregate.source());
            query.setString(3, aggregate.type());
            query.setString(4, aggregate.id());
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private void refuseUnknown(Positions positions) {
        if (positions.all().isEmpty()) {
            throw new SubscriptionException(
                    "the view's database knows no subscription " + live.subscription() + " that has applied anything");
        }
    }

    private boolean isAt(Positions here, Positions target) {
        for (Map.Entry<TopicPartition, Position> each : target.all().entrySet()) {
            Position position = here.all().get(each.getKey());
            if (position == null && each.getValue().nextOffset() > 0) {
                return false;
            }
            if (position != null && !position.topicId().equals(each.getValue().topicId())) {
                throw new SubscriptionException("topic " + each.getKey().topic()
                        + " is not the one any more that the live tables were built from");
            }
            if (position != null && position.nextOffset() < each.getValue().nextOffset()) {
                return false;
            }
        }
        return true;
    }

    private void refuseStopped() {
        for (PartitionStatus partition : subscription.status().partitions()) {
            if (partition.state() == PartitionStatus.State.STOPPED) {
                throw new SubscriptionException(name + ": the rebuild stopped in " + partition.topic() + "-"
                        + partition.partition() + ": " + partition.reason() + ". Remedy: " + partition.remedy());
            }
        }
    }

    private String standing() {
        String partitions = subscription.status().partitions().stream()
                .map(each -> each.topic() + "-" + each.partition() + " " + each.state() + " " + each.reason())
                .collect(Collectors.joining("; "));
        return subscription.status().state() + " " + subscription.status().reason() + " " + partitions;
    }

    /** Removes it with all that it has. */
    @Override
    public void close() throws SQLException {
        try {
            subscription.close();
            scratch.drop();
        } finally {
            scratch.unlock();
        }
    }
}

package dev.tributary.relay;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import dev.tributary.relay.source.SourceDatabase.SetAside;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which events are not to be sent: those that Kafka will never take, and what the same aggregate has published since.
 * They are set aside in the source's database, before their transaction is confirmed. What Kafka has refused is remembered
 * over the runs of a relay: a refusal ends one run, and in the next the event is set aside. Used by one thread.
 */
final class PoisonEvents {
    private static final Logger LOG = LoggerFactory.getLogger(PoisonEvents.class);
    /** A topic that took nothing is tried again after this. */
    private static final Duration TOPIC_RETRY = Duration.ofMinutes(1);

    private final SourceConfig source;
    private final Surroundings time;
    private final Map<UUID, String> refused = new HashMap<>();
    private final Map<String, RefusedTopic> refusedTopics = new HashMap<>();
    /** What comes of these from here on waits behind what is set aside. */
    private Set<Aggregate> parked = new HashSet<>();
    /**
     * What was set aside, perhaps released since, and has yet to come again, as it does after a crash. The other engine
     * may have read it then, by other LSNs, so it is known again by its id and its number within the transaction.
     */
    private final Map<Place, Deque<SetAside>> again = new HashMap<>();
    /** A transaction, by this engine's LSN, of which the other has set events aside, and by which LSN. */
    private long bridgedLsn = -1;

    private long bridgeLsn;

    PoisonEvents(SourceConfig source, Surroundings time) {
        this.source = source;
        this.time = time;
    }

    private record Place(UUID id, int ordinal) {}

    private record RefusedTopic(String reason, long sinceNanos) {}

    /** Takes note of a refusal; false if the source is to stop for it. */
    boolean isSetAside(RelayException.Refused refusal) {
        if (source.poison() == SourceConfig.Poison.STOP) {
            return false;
        }
        refused.put(refusal.eventId(), refusal.reason());
        if (refusal.topic() != null) {
            refusedTopics.put(refusal.topic(), new RefusedTopic(refusal.reason(), time.nanoTime()));
        }
        return true;
    }

    /** At the start of a run, which gets events from {@code first} on: what is set aside by then. */
    void load(SourceDatabase database, Position first) throws SQLException {
        parked = new HashSet<>(database.parkedBefore(first));
        again.clear();
        for (SetAside event : database.setAsideFrom(first)) {
            again.computeIfAbsent(new Place(event.id(), event.position().ordinal()), place -> new ArrayDeque<>())
                    .addLast(event);
        }
    }

    /** Aggregates whose events are set aside. */
    int aggregates() {
        Set<Aggregate> all = new HashSet<>(parked);
        again.values().forEach(events -> events.stream()
                .filter(event -> !event.released())
                .forEach(event -> all.add(event.aggregate())));
        return all.size();
    }

    /** Sets {@code event} aside if it is one of those; false if it is to be sent. To be asked of each event in order. */
    boolean keeps(OutboxEvent event, SourceDatabase database) {
        if (comesAgain(event)) {
            return true;
        }
        if (parked.isEmpty() && refused.isEmpty() && refusedTopics.isEmpty()) {
            return false;
        }
        Aggregate aggregate = new Aggregate(event.aggregateType(), new String(event.aggregateId(), UTF_8));
        String reason = reasonAgainst(event);
        if (reason == null && !parked.contains(aggregate)) {
            return false;
        }
        if (!park(event.at(behindSetAside(event.position())), reason, database)) {
            parked.remove(aggregate);
            LOG.info("Source {}: {} is released", source.name(), aggregate);
            return false;
        }
        refused.remove(event.id());
        parked.add(aggregate);
        if (reason != null) {
            LOG.error(
                    "Source {}: {} is set aside in tributary.dead_letter, and with it whatever {} publishes from now on: {}."
                            + " Remedy: mend the cause, then `release`",
                    source.name(),
                    event,
                    aggregate,
                    reason);
        }
        return true;
    }

    /** Events of the same aggregate that come before it were sent, or are to be. */
    private boolean comesAgain(OutboxEvent event) {
        if (again.isEmpty()) {
            return false;
        }
        Place place = new Place(event.id(), event.position().ordinal());
        Deque<SetAside> known = again.getOrDefault(place, new ArrayDeque<>());
        SetAside before = known.peekFirst();
        if (before == null || !mayBe(before.position(), event.position())) {
            return false;
        }
        known.removeFirst();
        if (known.isEmpty()) {
            again.remove(place);
        }
        if (!before.released()) {
            parked.add(before.aggregate());
        }
        refused.remove(event.id());
        bridgedLsn = event.position().commitLsn();
        bridgeLsn = before.position().commitLsn();
        return true;
    }

    /** Whether two deliveries may be of the same transaction: what was released has another, later one. */
    private static boolean mayBe(Position before, Position now) {
        int order = Long.compareUnsigned(now.commitLsn(), before.commitLsn());
        if (PositionForm.of(before) == PositionForm.of(now)) {
            return order == 0;
        }
        return PositionForm.of(before) == PositionForm.COMMIT_END ? order < 0 : order > 0;
    }

    /** What follows in the same transaction must not lie before what the other engine has set aside of it. */
    private Position behindSetAside(Position position) {
        return position.commitLsn() == bridgedLsn && Long.compareUnsigned(bridgeLsn, bridgedLsn) > 0
                ? new Position(position.epoch(), bridgeLsn, position.ordinal())
                : position;
    }

    private @Nullable String reasonAgainst(OutboxEvent event) {
        String reason = refused.get(event.id());
        if (reason != null || refusedTopics.isEmpty()) {
            return reason;
        }
        String topic = source.topics().topicFor(event.aggregateType());
        RefusedTopic refusal = refusedTopics.get(topic);
        if (refusal != null && time.nanoTime() - refusal.sinceNanos > TOPIC_RETRY.toNanos()) {
            refusedTopics.remove(topic);
            return null;
        }
        return refusal == null ? null : refusal.reason;
    }

    private boolean park(OutboxEvent event, @Nullable String reason, SourceDatabase database) {
        try {
            return database.park(event, reason);
        } catch (SQLException e) {
            throw new RelayException(
                    event + " cannot be set aside: " + e.getMessage(),
                    "the relay's role needs INSERT, SELECT and UPDATE on tributary.dead_letter",
                    e);
        }
    }
}

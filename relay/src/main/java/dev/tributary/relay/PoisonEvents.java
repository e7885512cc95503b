package dev.tributary.relay;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
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
    private Map<Aggregate, Position> parked = Map.of();
    /** A server that crashed sends again what it had confirmed: these are in Kafka, or on their way, under new positions. */
    private Set<Position> released = Set.of();

    PoisonEvents(SourceConfig source, Surroundings time) {
        this.source = source;
        this.time = time;
    }

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
        parked = new HashMap<>(database.parked());
        released = database.released(first);
    }

    /** Aggregates whose events are set aside. */
    int aggregates() {
        return parked.size();
    }

    /** Sets {@code event} aside if it is one of those; false if it is to be sent. */
    boolean keeps(OutboxEvent event, SourceDatabase database) {
        if (released.contains(event.position())) {
            return true;
        }
        if (parked.isEmpty() && refused.isEmpty() && refusedTopics.isEmpty()) {
            return false;
        }
        Aggregate aggregate = new Aggregate(event.aggregateType(), new String(event.aggregateId(), UTF_8));
        Position first = parked.get(aggregate);
        String reason = reasonAgainst(event);
        if (reason == null && (first == null || first.isAfter(event.position()))) {
            return false;
        }
        if (!park(event, reason, database)) {
            parked.remove(aggregate);
            LOG.info("Source {}: {} is released", source.name(), aggregate);
            return false;
        }
        refused.remove(event.id());
        parked.merge(aggregate, event.position(), (one, other) -> one.isAfter(other) ? other : one);
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

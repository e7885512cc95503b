package dev.tributary.relay.recover;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Aggregate;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Rows that are not to be published: what Kafka will never take, and what waits behind it. As the relay has it. */
final class SetAside {
    private final SourceConfig source;
    private final SourceDatabase database;
    private final Set<Aggregate> parkedBefore;
    private final Set<Aggregate> parked = new HashSet<>();
    private final Map<UUID, String> refused = new HashMap<>();
    private final Map<String, String> refusedTopics = new HashMap<>();
    private final Set<UUID> events = new HashSet<>();

    /** @param parkedBefore aggregates that are set aside already */
    SetAside(SourceConfig source, SourceDatabase database, Set<Aggregate> parkedBefore) {
        this.source = source;
        this.database = database;
        this.parkedBefore = Set.copyOf(parkedBefore);
    }

    /** At the start of each attempt: what comes before a refused event of its aggregate may have to be sent once more. */
    void begin() {
        parked.clear();
        parked.addAll(parkedBefore);
    }

    /** Takes note of a refusal; false if that ends the recovery. */
    boolean takes(RelayException.Refused refusal) {
        if (source.poison() == SourceConfig.Poison.STOP) {
            return false;
        }
        refused.put(refusal.eventId(), refusal.reason());
        if (refusal.topic() != null) {
            refusedTopics.put(refusal.topic(), refusal.reason());
        }
        return true;
    }

    /** Sets {@code event} aside if it is one of those; false if it is to be published. */
    boolean keeps(OutboxEvent event) throws SQLException {
        Aggregate aggregate = new Aggregate(event.aggregateType(), new String(event.aggregateId(), UTF_8));
        String reason = reasonAgainst(event);
        if (reason == null && !parked.contains(aggregate)) {
            return false;
        }
        if (!database.park(event, reason)) {
            parked.remove(aggregate);
            return false;
        }
        parked.add(aggregate);
        events.add(event.id());
        return true;
    }

    private @Nullable String reasonAgainst(OutboxEvent event) {
        String reason = refused.get(event.id());
        return reason != null ? reason : refusedTopics.get(source.topics().topicFor(event.aggregateType()));
    }

    /** How many. */
    long size() {
        return events.size();
    }
}

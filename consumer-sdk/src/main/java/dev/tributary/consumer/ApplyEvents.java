package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.Incoming.Undecodable;
import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.ParkedEvent.Failure;
import dev.tributary.consumer.Parking.Parked;
import dev.tributary.consumer.Parking.Poison;
import dev.tributary.consumer.PositionStore.Progress;
import dev.tributary.consumer.rows.RowBatch;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes one record after the other within a {@link BatchTransaction}: has events handled, parks them or passes them over,
 * or finds that the partition has to stop; and adds up what became of them.
 */
final class ApplyEvents {
    private final SubscriptionConfig config;
    private final PositionStore positions;
    private final Parking parking;
    private final PartitionSequences sequences;
    private final Connection connection;
    private final Dispatch dispatch;
    private final @Nullable Poison poison;
    private final Map<Aggregate, Parked> parked;
    private final Map<What, Integer> counts = new EnumMap<>(What.class);
    private final List<Undecodable> garbage = new ArrayList<>();
    private final List<String> gaps = new ArrayList<>();
    private final Set<Aggregate> healed = new LinkedHashSet<>();

    /**
     * @param poison parks the first event that has a handler, for this reason, instead of handling it; null for none
     * @param parked those of the batch's aggregates that are; others that get to be are added
     */
    ApplyEvents(
            PartitionRows partition,
            Connection connection,
            RowBatch rows,
            @Nullable Poison poison,
            Map<Aggregate, Parked> parked) {
        this.config = partition.config();
        this.positions = partition.positions();
        this.parking = partition.parking();
        this.sequences = partition.sequences();
        this.connection = connection;
        this.dispatch = new Dispatch(config, connection, rows);
        this.poison = poison;
        this.parked = parked;
    }

    /** For what the view has already. */
    @Nullable
    Stop passOver() {
        count(What.DUPLICATES);
        return null;
    }

    /**
     * Null if it is dealt with; else why the partition has to stop before it.
     *
     * @throws Exception whatever keeps an event from being applied
     */
    @Nullable
    Stop take(Incoming incoming) throws Exception {
        if (incoming instanceof Decoded decoded) {
            return takeEvent(decoded);
        }
        Undecodable undecodable = (Undecodable) incoming;
        if (config.policy().garbage() == Garbage.REFUSE) {
            return new Stop(
                    "the record at offset " + undecodable.record().offset() + " is not an event: "
                            + undecodable.reason(),
                    "remove its cause, then go on behind it: " + sqlToSkip(undecodable) + "; or set onGarbage(SKIP)");
        }
        garbage.add(undecodable);
        count(What.GARBAGE);
        return null;
    }

    boolean hasParked() {
        return counts.containsKey(What.PARKED);
    }

    Outcome.Committed committed(Progress progress) {
        return new Outcome.Committed(progress, counts, garbage, gaps, healed);
    }

    private @Nullable Stop takeEvent(Decoded decoded) throws Exception {
        Event<byte[]> event = decoded.event();
        if (config.passesOver(event)) {
            count(What.SKIPPED);
            return null;
        }
        boolean known = dispatch.handles(event.type());
        String refused = known ? null : config.handlers().refused(event.type());
        if (refused != null) {
            return unknownType(refused, decoded);
        }
        try {
            return takeNew(decoded, known);
        } catch (NoHandlerException e) {
            return unknownType(e.type(), decoded);
        }
    }

    private @Nullable Stop takeNew(Decoded decoded, boolean known) throws Exception {
        Event<byte[]> event = decoded.event();
        Parked behind = parked.isEmpty() ? null : parked.get(Aggregate.of(event));
        if (behind != null) {
            takeOfParked(decoded, behind, known);
            return null;
        }
        long last = hasNumber(event) ? sequences.last(event) : 0;
        Missing missing = last == 0 ? null : parking.missing(connection, event, last);
        if (missing != null) {
            return parkForMissing(decoded, last, missing);
        }
        if (poison != null && known) {
            return parkPoison(decoded, last, poison);
        }
        apply(decoded, known);
        // A foreign producer's number says something only of an aggregate whose numbers are known
        if (hasNumber(event) && (event.position() != null || last > 0)) {
            sequences.applied(event, last);
        }
        return null;
    }

    /** Whether its sequence may say something about the events before it. */
    private boolean hasNumber(Event<?> event) {
        return event.sequence() != null && config.policy().sequenceGap() == SequenceGap.PARK;
    }

    private void takeOfParked(Decoded decoded, Parked behind, boolean known) throws Exception {
        Event<byte[]> event = decoded.event();
        if (behind.waitsFor(event) && poison == null) {
            apply(decoded, known);
            Aggregate aggregate = Aggregate.of(event);
            parking.applied(connection, aggregate, behind);
            healed.add(aggregate);
        } else if (behind.waitsFor(event) && poison != null) {
            parking.parkAwaited(connection, decoded, poison.failure(), behind);
            count(What.PARKED);
        } else if (known || hasNumber(event)) {
            parking.park(connection, decoded, null);
            count(What.PARKED);
        } else {
            count(What.SKIPPED);
        }
    }

    private void apply(Decoded decoded, boolean known) throws Exception {
        if (known) {
            dispatch.handle(decoded);
        } else {
            config.handlers().passedOver(decoded.event().type());
        }
        count(known ? What.APPLIED : What.SKIPPED);
    }

    private Stop unknownType(String type, Decoded decoded) {
        String original = decoded.event().type();
        return new Stop(
                "there is no handler for type " + type
                        + (original.equals(type) ? "" : ", made by upcasters of " + original)
                        + " of the event at offset " + decoded.event().offset(),
                "deploy one, or an upcaster, or set onUnknownType(SKIP), or go on behind it, which parks what"
                        + " follows of its aggregate unless gaps are ignored: "
                        + sqlToSkip(decoded));
    }

    private @Nullable Stop parkPoison(Decoded decoded, long last, Poison reason) throws SQLException {
        if (isFull()) {
            return new Stop(
                    parkedMax() + " aggregates are parked, so it is the handler that is broken; now with "
                            + Failures.describe(reason.error()),
                    "see tributary.parked_event, mend the handler and restart, or raise parkedAggregatesMax");
        }
        park(decoded, reason.failure(), last, null);
        return null;
    }

    private @Nullable Stop parkForMissing(Decoded decoded, long last, Missing missing) throws SQLException {
        if (isFull()) {
            return new Stop(
                    parkedMax() + " aggregates are parked, so it is more than single events that did not come; now "
                            + Aggregate.of(decoded.event()) + ": " + missing.describe(),
                    "see tributary.parked_event, have the missing events sent again, or raise parkedAggregatesMax");
        }
        String what = missing.describe() + whereFrom(decoded.event(), last);
        park(decoded, new Failure(what, null, 0), last, missing);
        gaps.add(Aggregate.of(decoded.event()) + ": " + what);
        return null;
    }

    /** A hole between history and live events is nothing that comes late. */
    private String whereFrom(Event<?> event, long last) {
        return sequences.isLastOfHistory(event)
                ? " between the replayed history, which ends with " + last
                        + ", and live events: they were lost there, so replay to another topic and build from that"
                : "";
    }

    private void park(Decoded decoded, Failure failure, long last, @Nullable Missing missing) throws SQLException {
        parked.put(Aggregate.of(decoded.event()), parking.parkAggregate(connection, decoded, failure, last, missing));
        count(What.PARKED);
    }

    private boolean isFull() throws SQLException {
        return parking.aggregates(connection, parkedMax()) >= parkedMax();
    }

    private int parkedMax() {
        return config.limits().parkedAggregatesMax();
    }

    private String sqlToSkip(Incoming incoming) {
        return positions.sqlToGoOnAt(incoming.record().offset() + 1);
    }

    private void count(What what) {
        counts.merge(what, 1, Integer::sum);
    }
}

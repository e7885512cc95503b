package dev.tributary.relay.replay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.HistoryRows.Place;
import dev.tributary.relay.source.HistorySnapshot;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a replay has to know to go on after it was stopped: the relay's own part of {@link dev.tributary.outbox.wire.Replay}.
 *
 * @param cluster whose transaction ids they are: system identifier and timeline
 * @param chosen which events were asked for
 * @param moment the rows that there were then
 * @param before without those that there were then, which an earlier round has sent; null for none
 * @param sent how many events it has sent, earlier rounds included
 * @param done how many rows of this round it is past
 * @param total how many rows this round has
 * @param sequenced whether all rows had a sequence, those of earlier rounds included
 * @param last the last row that it is past; null at the beginning of a round
 */
record ReplayNotes(
        Cluster cluster,
        Chosen chosen,
        Moment moment,
        @Nullable Moment before,
        long sent,
        long done,
        long total,
        boolean sequenced,
        @Nullable Last last) {
    private static final JsonMapper JSON = new JsonMapper();

    record Cluster(String systemId, int timeline) {
        static Cluster of(Server server) {
            return new Cluster(server.systemId(), server.timeline());
        }
    }

    record Chosen(
            List<String> aggregateTypes,
            @Nullable String aggregateId,
            @Nullable String since,
            @Nullable String until,
            @Nullable String from,
            @Nullable String to) {
        static Chosen of(Part part) {
            return new Chosen(
                    List.copyOf(new TreeSet<>(part.aggregateTypes())),
                    part.aggregateId(),
                    text(part.since()),
                    text(part.until()),
                    text(part.from()),
                    text(part.to()));
        }

        Part part() {
            return new Part(
                    Set.copyOf(aggregateTypes),
                    aggregateId,
                    since == null ? null : Instant.parse(since),
                    until == null ? null : Instant.parse(until),
                    from == null ? null : Position.parse(from),
                    to == null ? null : Position.parse(to));
        }

        /** In the words of the command line. */
        @Override
        public String toString() {
            StringJoiner words = new StringJoiner(" ");
            words.setEmptyValue("the whole history");
            if (aggregateId != null) {
                words.add("--aggregate " + aggregateTypes.get(0) + "/" + aggregateId);
            } else {
                aggregateTypes.forEach(type -> words.add("--aggregate-type " + type));
            }
            Map<String, @Nullable String> limits = new LinkedHashMap<>();
            limits.put("since", since);
            limits.put("until", until);
            limits.put("from-position", from);
            limits.put("to-position", to);
            limits.forEach((option, limit) -> {
                if (limit != null) {
                    words.add("--" + option + " " + limit);
                }
            });
            return words.toString();
        }
    }

    record Moment(long lsn, String snapshot, String takenAt) {
        static Moment of(HistorySnapshot snapshot) {
            return new Moment(
                    snapshot.lsn(), snapshot.text(), snapshot.takenAt().toString());
        }

        HistorySnapshot snapshotThen() {
            return new HistorySnapshot(lsn, snapshot, Instant.parse(takenAt));
        }
    }

    record Last(String aggregateType, String aggregateId, long sequence, String occurredAt, String id) {
        static Last of(Place place) {
            return new Last(
                    place.aggregateType(),
                    place.aggregateId(),
                    place.sequence(),
                    place.occurredAt().toString(),
                    place.id().toString());
        }

        Place place() {
            return new Place(aggregateType, aggregateId, sequence, Instant.parse(occurredAt), UUID.fromString(id));
        }
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }

    ReplayNotes at(long nowSent, long nowDone, @Nullable Place place) {
        return new ReplayNotes(
                cluster,
                chosen,
                moment,
                before,
                nowSent,
                nowDone,
                total,
                sequenced,
                place == null ? null : Last.of(place));
    }

    /** Where to go on. */
    @Nullable
    Place place() {
        return last == null ? null : last.place();
    }

    @Nullable
    HistorySnapshot snapshotBefore() {
        return before == null ? null : before.snapshotThen();
    }

    JsonNode toJson() {
        return JSON.valueToTree(this);
    }

    static ReplayNotes of(@Nullable JsonNode json) {
        try {
            if (json != null) {
                return JSON.treeToValue(json, ReplayNotes.class);
            }
        } catch (JsonProcessingException e) {
            throw unreadable(e);
        }
        throw unreadable(null);
    }

    private static RelayException unreadable(@Nullable Exception cause) {
        return new RelayException.Stopped(
                "what an earlier replay has noted cannot be read",
                "it is another version's: begin again, with another topic",
                cause);
    }
}

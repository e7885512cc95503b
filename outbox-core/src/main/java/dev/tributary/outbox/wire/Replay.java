package dev.tributary.outbox.wire;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a topic of replayed events holds, and where live events go on from it: the history of a source as it was at an LSN.
 * Written to {@link #TOPIC} in the Kafka transactions that write the events, so that it is never ahead of them. Immutable.
 *
 * @param source the source's name
 * @param topic the topic that the history is in
 * @param topicId Kafka's id of that topic; another one of the same name is not described by this
 * @param complete whether all of it is there; until then it grows
 * @param epoch the epoch that {@code lsn} belongs to
 * @param lsn the history holds what committed before this LSN, as far as it was asked for; unsigned
 * @param ends by partition of {@code topic}, the offset behind the last event; partitions without events may be missing
 * @param live the topics of which it holds everything that committed before {@code lsn}: live events go on there. Empty where it
 *     holds but a part, or there was no such topic yet
 * @param whole whether it holds all events of the aggregate types that were asked for, though {@code live} be empty
 * @param run the relay's own notes, to resume by; null if there are none
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Replay(
        String source,
        String topic,
        String topicId,
        boolean complete,
        int epoch,
        long lsn,
        Map<Integer, Long> ends,
        Map<String, Live> live,
        boolean whole,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable JsonNode run) {
    /** The topic that all replays are described in, by the names of their topics: compacted, with one partition. */
    public static final String TOPIC = "tributary.replays";

    private static final JsonMapper JSON = new JsonMapper();

    /**
     * Where live events go on.
     *
     * @param topicId Kafka's id of the live topic
     * @param offsets by partition, an offset that no event lies before which committed at the LSN or later; 0 where a partition is
     *     missing
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Live(String topicId, Map<Integer, Long> offsets) {
        public Live {
            offsets = Map.copyOf(offsets);
        }
    }

    public Replay {
        ends = Map.copyOf(ends);
        live = Map.copyOf(live);
    }

    /** Whether it holds but a part of the history of its topics, from which no view can go on. */
    @JsonIgnore
    public boolean isPart() {
        return !whole && live.isEmpty();
    }

    /** The highest position that events of the history can have had when they were live; those behind it are not in it. */
    public Position last() {
        return new Position(epoch, lsn - 1, -1);
    }

    /** As JSON in UTF-8. */
    public byte[] toJson() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("numbers and names cannot be written", e);
        }
    }

    /**
     * Reads {@link #toJson}.
     *
     * @throws IOException if it is something else
     */
    public static Replay fromJson(byte[] json) throws IOException {
        return JSON.readValue(json, Replay.class);
    }
}

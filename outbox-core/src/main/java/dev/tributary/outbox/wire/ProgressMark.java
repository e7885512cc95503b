package dev.tributary.outbox.wire;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Map;

/**
 * What the relay says of a source from time to time: everything that the source committed up to an LSN, and up to a time,
 * lies in Kafka below these offsets. Immutable.
 *
 * @param source the source's name
 * @param epoch the epoch that {@code lsn} belongs to
 * @param lsn everything that committed at or below it is in Kafka; unsigned
 * @param timeMillis everything that had committed by then, and was on the server's disk, is in Kafka; milliseconds since 1970 by the database's clock; 0 while
 *     that is not known
 * @param offsets for each topic, by partition, the offset behind the last event that the mark covers; partitions without
 *     events may be missing
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ProgressMark(
        String source, int epoch, long lsn, long timeMillis, Map<String, Map<Integer, Long>> offsets) {
    private static final JsonMapper JSON = new JsonMapper();

    public ProgressMark {
        offsets = Map.copyOf(offsets);
    }

    /** The topic that a source's marks are in: compacted, with one partition. */
    public static String topicOf(String source) {
        return "tributary.progress." + source;
    }

    /** Whether this one says more than {@code other} of the same source. */
    public boolean isAfter(ProgressMark other) {
        int byEpoch = Integer.compareUnsigned(epoch, other.epoch);
        return byEpoch > 0 || (byEpoch == 0 && Long.compareUnsigned(lsn, other.lsn) > 0);
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
    public static ProgressMark fromJson(byte[] json) throws IOException {
        return JSON.readValue(json, ProgressMark.class);
    }
}

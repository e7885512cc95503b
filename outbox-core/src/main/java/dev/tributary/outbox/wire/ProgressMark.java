package dev.tributary.outbox.wire;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
 * @param history which history {@code lsn} counts in; null in marks of relays before 0.1
 * @param unsentFrom events that commit there or behind it, as an LSN like {@code lsn}, were sent after the mark was written: they
 *     lie at {@code offsets} or behind; null while that is not known
 * @param publication how the source's publication was when it was last known to have kept nothing from the relay; null while that is
 *     not known
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ProgressMark(
        String source,
        int epoch,
        long lsn,
        long timeMillis,
        Map<String, Map<Integer, Long>> offsets,
        @Nullable History history,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Long unsentFrom,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Publication publication) {
    private static final JsonMapper JSON = new JsonMapper();

    /**
     * What LSNs and transaction ids have a meaning in. Immutable.
     *
     * @param systemId PostgreSQL's system identifier of the cluster, decimal
     * @param timeline the cluster's timeline; it grows with every failover
     * @param xidHorizon every transaction with a smaller id had ended, and what it committed is in Kafka; 64 bits, with
     *     PostgreSQL's epoch; 0 while that is not known
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record History(String systemId, int timeline, long xidHorizon) {}

    /**
     * A publication at a time when it had kept nothing from the relay. Immutable.
     *
     * @param identity is another one once somebody has altered it
     * @param xidHorizon every transaction with a smaller id had ended by then; 64 bits, with PostgreSQL's epoch
     * @param timeMillis when that was; milliseconds since 1970 by the database's clock
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Publication(String identity, long xidHorizon, long timeMillis) {}

    public ProgressMark {
        offsets = Map.copyOf(offsets);
    }

    /** One that says nothing of what was not sent, nor of the publication. */
    public ProgressMark(
            String source,
            int epoch,
            long lsn,
            long timeMillis,
            Map<String, Map<Integer, Long>> offsets,
            @Nullable History history) {
        this(source, epoch, lsn, timeMillis, offsets, history, null, null);
    }

    /** The same, with another word on the publication if that is of a later time. */
    public ProgressMark withLaterPublication(@Nullable Publication other) {
        boolean later = other != null && (publication == null || other.timeMillis > publication.timeMillis);
        return later ? new ProgressMark(source, epoch, lsn, timeMillis, offsets, history, unsentFrom, other) : this;
    }

    /** Whether events of its epoch that commit at {@code lsn} or behind it all lie at {@link #offsets} or behind. */
    public boolean isBeforeAnyFrom(long lsn) {
        return unsentFrom != null && Long.compareUnsigned(unsentFrom, lsn) <= 0;
    }

    /** The topic that a source's marks are in: compacted, with one partition. */
    public static String topicOf(String source) {
        return "tributary.progress." + source;
    }

    /**
     * Whether this one says more than {@code other} of the same source. Within an epoch a later timeline counts before
     * the LSN: what an old primary wrote last may lie behind the point where the next one began.
     */
    public boolean isAfter(ProgressMark other) {
        int byEpoch = Integer.compareUnsigned(epoch, other.epoch);
        int byTimeline = Integer.compareUnsigned(timeline(), other.timeline());
        if (byEpoch != 0 || byTimeline != 0) {
            return byEpoch > 0 || (byEpoch == 0 && byTimeline > 0);
        }
        return Long.compareUnsigned(lsn, other.lsn) > 0;
    }

    private int timeline() {
        return history == null ? 0 : history.timeline();
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

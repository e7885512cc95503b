package dev.tributary.consumer.view;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A view at one moment, as an instance last saw it.
 *
 * @param view its name
 * @param liveVersion the version that readers see; null as long as the database has not been asked
 * @param problem what keeps this instance from looking after the view, in a sentence; empty if nothing does
 * @param versions all that there are or have been
 */
public record ViewStatus(String view, @Nullable Integer liveVersion, String problem, List<Version> versions) {
    /**
     * One version.
     *
     * @param version its number
     * @param state what it is for
     * @param paused whether it has been told to pause
     * @param knownHere whether this instance has its handlers, and feeds it
     * @param caughtUpSince since when it has been about as far as the live version; null if it is not, or is gone
     * @param progress how far it is; null if it is gone, or Kafka has not been asked
     * @param problems what people should know, with the remedy
     */
    public record Version(
            int version,
            VersionState state,
            boolean paused,
            boolean knownHere,
            @Nullable Instant caughtUpSince,
            @Nullable Progress progress,
            List<String> problems) {}

    /**
     * How far a version is, whichever instances feed it.
     *
     * @param done records that are in it
     * @param total all of its history's, as Kafka has them by now
     * @param perSecond how many are added, of late
     * @param timeLeft until it has all, at that rate and if no more came; null if that cannot be told
     * @param partitions the same, by topic and partition
     */
    public record Progress(
            long done,
            long total,
            double perSecond,
            @Nullable Duration timeLeft,
            List<Partition> partitions) {}

    /**
     * One partition.
     *
     * @param done records that are in the version
     * @param total all of its history's
     */
    public record Partition(String topic, int partition, long done, long total) {}
}

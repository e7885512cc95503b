package dev.tributary.consumer.progress;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How fresh a view is with respect to one source. Immutable.
 *
 * @param source the source's name
 * @param completeUpTo by the source's clock: the view includes all that had committed there by then, but for what is set aside;
 *     it moves about every second, also when nothing is written; null while it is not known
 * @param age how long ago that was by this instance's clock, so that the two clocks' difference is in it; never negative;
 *     while {@code completeUpTo} is not known, how long it has been looked for
 * @param publishedUpTo the same of Kafka, by the relay's last mark: if that is old, it is the relay that is late; null while it is
 *     not known
 */
public record Freshness(
        String source,
        @Nullable Instant completeUpTo,
        Duration age,
        @Nullable Instant publishedUpTo) {}

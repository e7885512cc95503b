package dev.tributary.consumer.view;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A row of {@code tributary.view_version}. */
record VersionRow(
        int version,
        VersionState state,
        String subscription,
        String schema,
        Set<String> topics,
        String fingerprint,
        boolean paused,
        @Nullable Instant caughtUpAt,
        @Nullable Instant liveAt) {}

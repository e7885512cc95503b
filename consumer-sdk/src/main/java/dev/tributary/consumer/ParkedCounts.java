package dev.tributary.consumer;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How much a subscription has parked.
 *
 * @param aggregates aggregates whose events are set aside
 * @param events their events that are
 * @param since when the one that has waited longest was parked; null if there is none
 */
public record ParkedCounts(
        long aggregates, long events, @Nullable Instant since) {}

package dev.tributary.consumer;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An aggregate with events that are set aside. Immutable.
 *
 * @param events how many they are
 * @param since when the first of them was parked
 * @param failedType the type of the first one that something is wrong with; null if there is none left, and all only wait
 * @param error what is wrong with it; null like {@code failedType}
 * @param attempts how often its handler has been tried; 0 if it was not
 */
public record ParkedAggregate(
        Aggregate aggregate,
        long events,
        Instant since,
        @Nullable String failedType,
        @Nullable String error,
        int attempts) {}

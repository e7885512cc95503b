package dev.tributary.relay.config;

import dev.tributary.outbox.retention.RetentionSettings;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The keys that say how long events stay in the outbox; without a window they stay for good. */
final class RetentionKeys {
    static final String WINDOW = "retention.window";
    private static final String SPAN = "retention.span";
    private static final String AHEAD = "retention.ahead";
    private static final String PAUSE_MAX = "retention.pause.max";

    static final List<String> NAMES = List.of(WINDOW, SPAN, AHEAD, PAUSE_MAX);

    private RetentionKeys() {}

    /** @param mistake told the key and what is wrong with it */
    static @Nullable RetentionSettings read(Map<String, String> keys, BiConsumer<String, String> mistake) {
        boolean any = NAMES.stream().anyMatch(keys::containsKey);
        if (any && !keys.containsKey(WINDOW)) {
            mistake.accept(WINDOW, "is missing: the other keys of retention mean nothing without it");
        }
        if (!keys.containsKey(WINDOW)) {
            return null;
        }
        Duration window = duration(keys, WINDOW, Duration.ofDays(1), mistake);
        Duration span = duration(keys, SPAN, RetentionSettings.DEFAULT_SPAN, mistake);
        Duration pauseMax = duration(keys, PAUSE_MAX, RetentionSettings.DEFAULT_PAUSE_MAX, mistake);
        int ahead = RetentionSettings.DEFAULT_AHEAD;
        try {
            ahead = Integer.parseInt(
                    keys.getOrDefault(AHEAD, String.valueOf(ahead)).trim());
        } catch (NumberFormatException e) {
            mistake.accept(AHEAD, "must be a number of partitions, not '" + keys.get(AHEAD) + "'");
        }
        try {
            return new RetentionSettings(window, span, ahead, pauseMax);
        } catch (IllegalArgumentException e) {
            mistake.accept("retention", String.valueOf(e.getMessage()));
            return null;
        }
    }

    private static Duration duration(
            Map<String, String> keys, String key, Duration byDefault, BiConsumer<String, String> mistake) {
        String value = keys.get(key);
        try {
            return value == null ? byDefault : Duration.parse(value.trim());
        } catch (DateTimeParseException e) {
            mistake.accept(key, "must be a duration such as P1D or PT1H, not '" + value + "'");
            return byDefault;
        }
    }
}

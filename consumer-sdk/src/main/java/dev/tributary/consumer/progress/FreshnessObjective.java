package dev.tributary.consumer.progress;

import dev.tributary.consumer.SubscriptionException;
import java.time.Duration;

/**
 * What is wanted of a view's freshness: that in a share of all minutes of a sliding window the age never exceeds a limit.
 * Immutable.
 *
 * @param ageMax the limit; at least 1 s. The relay looks at its source's clock once a second, so less than 2 s asks for much
 * @param share of minutes that are to be good, such as 0.999; the rest is the error budget
 * @param window at least an hour
 */
public record FreshnessObjective(Duration ageMax, double share, Duration window) {
    private static final FreshnessObjective DEFAULTS =
            new FreshnessObjective(Duration.ofSeconds(2), 0.999, Duration.ofDays(30));

    public FreshnessObjective {
        if (ageMax.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new SubscriptionException("a freshness objective's age must be at least 1 s, not " + ageMax);
        }
        if (!(share > 0 && share < 1)) {
            throw new SubscriptionException(
                    "a freshness objective's share must lie between 0 and 1, such as 0.999, and is " + share);
        }
        if (window.compareTo(Duration.ofHours(1)) < 0) {
            throw new SubscriptionException("a freshness objective's window must be at least an hour, not " + window);
        }
    }

    /** 99.9 % of minutes under 2 s over 30 days. */
    public static FreshnessObjective ofDefaults() {
        return DEFAULTS;
    }

    /** How many minutes of a window may be bad; 43.2 by default. */
    public double badMinutesMax() {
        return window.toMinutes() * (1 - share);
    }
}

package dev.tributary.consumer.progress;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes second by second how fresh a view is, records it once a minute, and reckons up the error budget. Used by one thread, but
 * for {@link #budget}.
 */
final class FreshnessJournal {
    private static final Logger LOG = LoggerFactory.getLogger(FreshnessJournal.class);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private final String subscription;
    private final FreshnessObjective objective;
    private final ProgressDatabase database;
    private final FreshnessStore store;
    private final Map<String, GoodSeconds> seconds = new TreeMap<>();
    private final Map<String, ErrorBudget> budgets = new ConcurrentHashMap<>();
    private long recordedBefore = Long.MIN_VALUE;
    private Instant notBefore = Instant.MIN;
    private String problem = "";

    FreshnessJournal(String subscription, FreshnessObjective objective, ProgressDatabase database) {
        this.subscription = subscription;
        this.objective = objective;
        this.database = database;
        this.store = new FreshnessStore(subscription);
    }

    /** Notes up to when the view is complete, by now; null if that is not known. */
    void sample(String source, Instant now, @Nullable Instant completeUpTo) {
        seconds.computeIfAbsent(source, s -> new GoodSeconds(objective.ageMax(), now))
                .sample(now, completeUpTo);
    }

    /** Records the minutes that are over, once each. */
    void recordIfDue(Instant now) {
        long minute = minute(now);
        if (minute > recordedBefore && !now.isBefore(notBefore)) {
            record(now, minute);
        }
    }

    /** Records what there is, the minute that is not over included; others may know the rest of it. */
    void recordAll(Instant now) {
        record(now, minute(now) + 1);
    }

    private void record(Instant now, long before) {
        try (Connection connection = database.open()) {
            for (Map.Entry<String, GoodSeconds> each : seconds.entrySet()) {
                store.record(connection, each.getKey(), each.getValue().before(before));
                each.getValue().recordedBefore(before);
                store.prune(
                        connection, each.getKey(), before - objective.window().toMinutes() - 1);
                // Of the minute that has just ended, other instances may have yet to say what they know
                ErrorBudget budget = store.budget(connection, each.getKey(), objective, before - 1);
                if (budget != null) {
                    budgets.put(each.getKey(), budget);
                }
            }
            recordedBefore = before;
            problem = "";
        } catch (SQLException e) {
            notBefore = now.plus(RETRY_AFTER);
            if (!problem.equals(e.getMessage())) {
                problem = String.valueOf(e.getMessage());
                LOG.warn("{}: how fresh the view is cannot be recorded: {}", subscription, problem);
            }
        }
    }

    private static long minute(Instant now) {
        return Math.floorDiv(now.getEpochSecond(), GoodSeconds.SECONDS_OF_MINUTE);
    }

    /** As of the last minute; null before there is one. For any thread. */
    @Nullable
    ErrorBudget budget(String source) {
        return budgets.get(source);
    }
}

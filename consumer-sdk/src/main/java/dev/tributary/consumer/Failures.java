package dev.tributary.consumer;

import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Tells failures that pass by themselves from those that come back with every attempt. */
final class Failures {
    private static final int CAUSES_MAX = 50;

    /**
     * Beginnings of SQLSTATEs: connection lost, transaction rolled back (serialization, deadlock), resources exhausted,
     * server shutting down or starting, statement cancelled or timed out, lock not available, idle session ended,
     * operating system error, standby instead of primary.
     */
    private static final List<String> PASSING_STATES =
            List.of("08", "40", "53", "57P0", "57014", "55P03", "25P03", "25P04", "58", "25006");

    private static final List<String> SESSION_LOST_STATES = List.of("08", "57P0", "25P03", "25P04");

    private static final String SERIALIZATION_FAILURE = "40001";

    private Failures() {}

    /** Whether trying again later may help. Such failures never park an event. */
    static boolean isPassing(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < CAUSES_MAX; depth++, cause = cause.getCause()) {
            if (cause instanceof SQLTransientException
                    || cause instanceof SQLRecoverableException
                    || cause instanceof SocketException
                    || cause instanceof SocketTimeoutException
                    || cause instanceof TimeoutException
                    || cause instanceof OutOfMemoryError
                    || (cause instanceof SQLException sql && hasState(sql, PASSING_STATES))) {
                return true;
            }
        }
        return false;
    }

    /** Whether it lost against a transaction at the same time, as happens above READ COMMITTED alone. */
    static boolean isCrowdedOut(SQLException failure) {
        return hasState(failure, List.of(SERIALIZATION_FAILURE));
    }

    /** Whether a failed commit leaves it unknown if the database has committed. */
    static boolean leavesCommitUnknown(SQLException failure) {
        return failure.getSQLState() == null || hasState(failure, SESSION_LOST_STATES);
    }

    /** In one line, for logs and statuses. */
    static String describe(Throwable failure) {
        Throwable shown = failure.getMessage() == null && failure.getCause() != null ? failure.getCause() : failure;
        String state = shown instanceof SQLException sql && sql.getSQLState() != null ? " " + sql.getSQLState() : "";
        String message =
                shown.getMessage() == null ? "" : ": " + shown.getMessage().replaceAll("\\s+", " ");
        return shown.getClass().getSimpleName() + state + message + whyNoConnection(shown);
    }

    /** A pool says for how long it has tried, and only its cause what was in the way. */
    private static String whyNoConnection(Throwable failure) {
        return failure instanceof SQLTransientConnectionException && failure.getCause() instanceof SQLException cause
                ? " (" + describe(cause) + ")"
                : "";
    }

    private static boolean hasState(SQLException failure, List<String> beginnings) {
        SQLException each = failure;
        for (int depth = 0; each != null && depth < CAUSES_MAX; depth++, each = each.getNextException()) {
            @Nullable String state = each.getSQLState();
            if (state != null && beginnings.stream().anyMatch(state::startsWith)) {
                return true;
            }
        }
        return false;
    }
}

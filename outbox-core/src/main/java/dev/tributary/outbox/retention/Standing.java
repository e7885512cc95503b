package dev.tributary.outbox.retention;

import java.sql.SQLException;
import java.time.Duration;

/** Sums up a turn: sizes, and what is overdue and why. */
final class Standing {
    private static final String REGISTRY = "tributary.outbox_partition";
    /** A partition is dropped some turns after its time; sooner than that nobody needs to know. */
    private static final int SPANS_LATE = 1;

    private Standing() {}

    static RetentionStatus of(RetentionSession session, RetentionSettings settings, boolean dropping, Troubles troubles)
            throws SQLException {
        Duration overdue = overdue(session, settings);
        if (overdue.compareTo(settings.span().multipliedBy(SPANS_LATE)) > 0) {
            if (dropping) {
                sayWhy(session, settings, troubles);
            } else {
                troubles.replace(
                        "nothing is dropped while it is not known that Kafka has what the slots have confirmed",
                        "have the relay stream again: its state says what is in the way");
            }
        }
        return session.one(
                "SELECT (SELECT count(*) FROM " + REGISTRY + " WHERE upper_bound IS NOT NULL AND NOT detached),"
                        + " (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('tributary.outbox') WHERE isleaf),"
                        + " coalesce(pg_total_relation_size(to_regclass('tributary.outbox_default')), 0),"
                        + " coalesce(pg_relation_size(to_regclass('tributary.outbox_default')), 0)",
                row -> new RetentionStatus(
                        true,
                        row.getInt(1),
                        row.getLong(2),
                        row.getLong(4) == 0 ? 0 : row.getLong(3),
                        overdue,
                        troubles.reason(),
                        troubles.remedy()));
    }

    /** Of the oldest partition with events, but for the last one that is confirmed, which stays. */
    private static Duration overdue(RetentionSession session, RetentionSettings settings) throws SQLException {
        return session.one(
                "SELECT coalesce(extract(epoch FROM " + session.clock() + " - "
                        + RetentionSession.interval(settings.window())
                        + " - min(upper_bound)), 0) FROM " + REGISTRY + " p WHERE NOT detached"
                        + " AND pg_relation_size(to_regclass('tributary.' || name)) > 0 AND EXISTS (SELECT FROM "
                        + REGISTRY
                        + " later WHERE later.upper_bound > p.upper_bound"
                        + " AND pg_relation_size(to_regclass('tributary.' || later.name)) > 0)",
                row -> Duration.ofMillis(Math.max(0, (long) (row.getDouble(1) * 1e3))));
    }

    private record Oldest(String name, boolean sealed, boolean confirmed, String slots, String watched) {}

    private static void sayWhy(RetentionSession session, RetentionSettings settings, Troubles troubles)
            throws SQLException {
        Oldest oldest = session.one(
                "SELECT name, sealed_lsn IS NOT NULL, coalesce(sealed_lsn <= " + RetentionSession.CONFIRMED
                        + ", false),"
                        + " coalesce((SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE slot_type = 'logical'"
                        + " AND database = current_database() AND NOT temporary AND starts_with(slot_name, 'tributary_')"
                        + " AND (wal_status = 'lost' OR confirmed_flush_lsn IS NULL OR confirmed_flush_lsn < sealed_lsn)), ''),"
                        + " coalesce(justify_interval(watched)::text, '') FROM " + REGISTRY
                        + " p WHERE NOT detached AND upper_bound IS NOT NULL"
                        + " AND pg_relation_size(to_regclass('tributary.' || name)) > 0 ORDER BY upper_bound LIMIT 1",
                row -> new Oldest(
                        row.getString(1), row.getBoolean(2), row.getBoolean(3), row.getString(4), row.getString(5)));
        if (!oldest.sealed) {
            troubles.replace(
                    "a transaction that has written to tributary." + oldest.name + " is still open, or prepared",
                    "end it: pg_stat_activity.xact_start and pg_prepared_xacts show which");
        } else if (!oldest.confirmed && oldest.slots.isEmpty()) {
            troubles.add(
                    "no slot tributary_* is there to confirm events", "run relay init, or recover if there was one");
        } else if (!oldest.confirmed) {
            troubles.replace(
                    "not confirmed yet by " + oldest.slots,
                    "start the relay that reads it, or drop the slot with pg_drop_replication_slot if nobody needs it");
        } else {
            troubles.add(
                    "confirmed events are watched for the window first, by now for " + oldest.watched + " of "
                            + settings.window() + "; time in which nobody watches does not count",
                    "");
        }
    }
}

package dev.tributary.outbox.retention;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes partitions for now and the time ahead, where there are none, whoever made those that there are. Attaching lets
 * writers write, but for those who write to the default partition, which is looked through meanwhile. Used by one thread.
 */
final class MakeAhead {
    private static final DateTimeFormatter NAME =
            DateTimeFormatter.ofPattern("'outbox_'uuuuMMdd't'HHmmssSSS").withZone(ZoneOffset.UTC);
    private static final String CHECK_VIOLATION = "23514";

    private final RetentionSession session;
    private final RetentionSettings settings;
    /** Beginnings of time that the default partition has events of. */
    private final Set<Instant> occupied = new HashSet<>();

    private @Nullable Long restsSince;

    MakeAhead(RetentionSession session, RetentionSettings settings) {
        this.session = session;
        this.settings = settings;
    }

    /** A stretch of time, without its end. */
    private record Range(Instant from, Instant to) {
        private static Range of(ResultSet row) throws SQLException {
            return new Range(
                    row.getObject(1, OffsetDateTime.class).toInstant(),
                    row.getObject(2, OffsetDateTime.class).toInstant());
        }

        boolean overlaps(Range other) {
            return from.isBefore(other.to) && other.from.isBefore(to);
        }

        /** What is left of this beside the other, at the earlier end if there are two. */
        @Nullable
        Range without(Range other) {
            if (!overlaps(other)) {
                return this;
            }
            if (from.isBefore(other.from)) {
                return new Range(from, other.from);
            }
            return other.to.isBefore(to) ? new Range(other.to, to) : null;
        }
    }

    void run(long nanos, Troubles troubles) throws SQLException {
        if (restsSince != null && nanos - restsSince < settings.span().toNanos()) {
            tooLarge(troubles);
            return;
        }
        restsSince = null;
        List<Range> there = there();
        Instant now = session.one("SELECT " + session.clock(), row -> row.getObject(1, OffsetDateTime.class))
                .toInstant();
        long span = settings.span().toMillis();
        Instant start = Instant.ofEpochMilli(Math.floorDiv(now.toEpochMilli(), span) * span);
        for (int i = 0; i <= settings.ahead() && restsSince == null; i++) {
            Range lacking = lacking(new Range(start, start.plusMillis(span)), there);
            if (lacking != null && !occupied.contains(lacking.from)) {
                make(lacking, nanos, troubles);
            }
            start = start.plusMillis(span);
        }
    }

    private static @Nullable Range lacking(Range wanted, List<Range> there) {
        Range lacking = wanted;
        for (Range range : there) { // by their beginnings
            lacking = lacking == null ? null : lacking.without(range);
        }
        return lacking;
    }

    /** Everybody's partitions. */
    private List<Range> there() throws SQLException {
        return session.list(
                "SELECT greatest(CASE b[1] WHEN 'MINVALUE' THEN '-infinity' ELSE trim(BOTH '''' FROM b[1]) END::timestamptz,"
                        + " '1970-01-01'), least(CASE b[2] WHEN 'MAXVALUE' THEN 'infinity' ELSE trim(BOTH '''' FROM b[2])"
                        + " END::timestamptz, '9999-01-01') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,"
                        + " regexp_match(pg_get_expr(c.relpartbound, c.oid), '^FOR VALUES FROM \\((.*)\\) TO \\((.*)\\)$') b"
                        + " WHERE i.inhparent = 'tributary.outbox'::regclass AND b IS NOT NULL ORDER BY 1",
                Range::of);
    }

    private void make(Range range, long nanos, Troubles troubles) throws SQLException {
        String name = NAME.format(range.from);
        String from = RetentionSession.literal(range.from.toString());
        String to = RetentionSession.literal(range.to.toString());
        try {
            boolean made = session.step("CREATE TABLE tributary." + name + " (LIKE tributary.outbox INCLUDING ALL);"
                    + " INSERT INTO tributary.outbox_partition (name, lower_bound, upper_bound) VALUES ('" + name
                    + "', "
                    + from + ", " + to + ");"
                    + " ALTER TABLE tributary.outbox ATTACH PARTITION tributary." + name + " FOR VALUES FROM (" + from
                    + ") TO (" + to + ");");
            if (!made) {
                heldUp(nanos, troubles);
            }
        } catch (SQLException e) {
            if (!CHECK_VIOLATION.equals(e.getSQLState())) {
                throw e;
            }
            occupied.add(range.from); // they stay where they are; the time behind gets its partition
        }
    }

    /** An empty default partition takes no time: then a lock was in the way, and the next turn may have more luck. */
    private void heldUp(long nanos, Troubles troubles) throws SQLException {
        if (session.text("SELECT pg_relation_size(to_regclass('tributary.outbox_default')) > 0")
                .equals("t")) {
            restsSince = nanos;
            tooLarge(troubles);
        } else {
            troubles.add(
                    "no partition could be attached within "
                            + settings.pauseMax().toMillis() + " ms",
                    "none if it passes; otherwise end what keeps tributary.outbox_default locked, such as a long pg_dump");
        }
    }

    private void tooLarge(Troubles troubles) {
        troubles.add(
                "no partition can be made without holding up writers for longer than "
                        + settings.pauseMax().toMillis()
                        + " ms: the default partition, which is looked through for that, is too large, or locked",
                "set retention.pause.max for once to what writers can bear, such as PT5S; it is tried every "
                        + Duration.ofMillis(settings.span().toMillis()));
    }
}

package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What may cost the slot, or the server's disk, some day: limits that are missing or too small, and time-outs. */
final class SlotRisks {
    private static final String KEEP = "max_slot_wal_keep_size";
    /** How long a relay should be able to be away. */
    private static final Duration AWAY_MIN = Duration.ofHours(1);

    private static final int IDLE_TIMEOUT_SINCE = 18;

    private SlotRisks() {}

    static List<Finding> findings(Connection connection, SourceConfig source) throws SQLException {
        List<Finding> findings = new ArrayList<>();
        Long keepBytes = Database.first(
                connection,
                "SELECT nullif(pg_size_bytes(current_setting('max_slot_wal_keep_size')), -1)",
                row -> row.getObject(1, Long.class));
        Long own = source.slotLimits().bytesMax();
        if (keepBytes != null || own != null) {
            findings.add(enough(connection, keepBytes, own, source));
        } else {
            findings.add(Finding.warning(
                    KEEP,
                    "is not set: while the relay is away, WAL is kept until the disk is full",
                    "Set it to what the disk can spare, such as ALTER SYSTEM SET max_slot_wal_keep_size = '50GB' and"
                            + " SELECT pg_reload_conf(), and alert on tributary_relay_slot_seconds_left; or set "
                            + source.key("slot.bytes.max") + " for the alert alone"));
        }
        if (Server.majorVersion(connection) >= IDLE_TIMEOUT_SINCE) {
            idle(connection, findings);
        }
        if (source.layout().isOwn()) {
            readable(connection, source, findings);
        }
        return findings;
    }

    private static void readable(Connection connection, SourceConfig source, List<Finding> findings)
            throws SQLException {
        Boolean readable = Database.first(connection, """
                SELECT bool_and(has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT'))
                FROM pg_class
                WHERE relnamespace = to_regnamespace('tributary') AND relname IN ('outbox', 'event_store')
                """, row -> row.getObject(1, Boolean.class));
        if (Boolean.FALSE.equals(readable)) {
            findings.add(Finding.warning(
                    "recover",
                    "role '" + source.username()
                            + "' may not read tributary.outbox and tributary.event_store, from which"
                            + " 'relay recover' publishes what a lost slot did not deliver",
                    "GRANT SELECT ON tributary.outbox, tributary.event_store TO \"" + source.username() + "\""));
        }
    }

    private static Finding enough(
            Connection connection, @Nullable Long keepBytes, @Nullable Long own, SourceConfig source)
            throws SQLException {
        long limit = keepBytes != null ? keepBytes : own != null ? own : 0;
        String name = keepBytes != null ? KEEP : source.key("slot.bytes.max");
        // On average since the statistics were reset: a rough guide, and only once they say something
        Double perSecond = Database.first(
                connection,
                "SELECT wal_bytes / extract(epoch FROM now() - stats_reset) FROM pg_stat_wal"
                        + " WHERE now() - stats_reset > interval '10 minutes'",
                row -> row.getDouble(1));
        if (perSecond != null && perSecond > 0 && limit / perSecond < AWAY_MIN.toSeconds()) {
            return Finding.warning(
                    name,
                    limit + " bytes are as much WAL as this server writes in " + (long) (limit / perSecond)
                            + " s on average: a relay that is away for longer loses its slot",
                    "Raise it, to " + (long) (perSecond * AWAY_MIN.toSeconds()) + " bytes or more for an hour");
        }
        return Finding.ok(name, limit + " bytes");
    }

    private static void idle(Connection connection, List<Finding> findings) throws SQLException {
        String timeout = Database.setting(connection, "idle_replication_slot_timeout");
        if (!timeout.isEmpty() && !timeout.equals("0")) {
            findings.add(Finding.warning(
                    "idle_replication_slot_timeout",
                    "is set: the server invalidates the slot of a relay that is away for that long, whatever the disk has"
                            + " left",
                    "ALTER SYSTEM SET idle_replication_slot_timeout = 0 and SELECT pg_reload_conf(), or be sure that no"
                            + " relay is ever away for that long"));
        }
    }
}

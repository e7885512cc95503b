package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The replication slot as the server has it.
 *
 * @param kind {@code logical} or {@code physical}
 * @param plugin null for a physical slot
 * @param database null for a physical slot
 * @param walStatus whether its WAL is still there, as PostgreSQL names it
 * @param invalidated why it was invalidated; null if it was not, or if the server is too old to say
 * @param failover whether a standby takes it over; null if the server is too old for that
 * @param reader who reads it now; null if nobody does
 */
record Slot(
        String name,
        String kind,
        @Nullable String plugin,
        @Nullable String database,
        @Nullable String walStatus,
        @Nullable String invalidated,
        @Nullable Boolean failover,
        @Nullable String reader) {
    private static final String SUBJECT = "slot";
    private static final String PLUGIN = "pgoutput";
    static final int FAILOVER_SLOTS_SINCE = 17;

    /** Where the server can, the slot is one that a standby takes over with everything else. */
    static String createSql(SourceConfig source, int serverMajorVersion) {
        String more = serverMajorVersion >= FAILOVER_SLOTS_SINCE ? ", failover => true" : "";
        return "SELECT pg_create_logical_replication_slot('" + source.slot() + "', '" + PLUGIN + "'" + more + ");";
    }

    static String dropSql(SourceConfig source) {
        return "SELECT pg_drop_replication_slot('" + source.slot() + "')";
    }

    /** Null if there is none. */
    static @Nullable Slot read(Connection connection, String name) throws SQLException {
        return Database.first(
                connection,
                """
                SELECT s.slot_type, s.plugin, s.database, s.wal_status, to_jsonb(s) ->> 'invalidation_reason',
                       (to_jsonb(s) ->> 'failover')::boolean,
                       CASE WHEN s.active THEN concat_ws(' ', 'process', s.active_pid,
                           'application ''' || r.application_name || '''', 'from ' || host(r.client_addr)) END
                FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
                WHERE s.slot_name = ?
                """,
                row -> new Slot(
                        name,
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        row.getString(4),
                        row.getString(5),
                        row.getObject(6, Boolean.class),
                        row.getString(7)),
                name);
    }

    /** What keeps the relay from reading it for this source. */
    List<Finding> findings(SourceConfig source, String currentDatabase, boolean readByOurRelay) {
        Finding unusable = unusable(source, currentDatabase);
        if (unusable != null) {
            return List.of(unusable);
        }
        List<Finding> findings = warnings();
        if (reader != null && !readByOurRelay) {
            findings.add(Finding.failed(
                    SUBJECT,
                    name + " is being read by someone else: " + reader,
                    "Stop that reader; one relay at a time reads a source's slot"));
        }
        return findings.isEmpty()
                ? List.of(Finding.ok(SUBJECT, name + (reader == null ? "" : ", read by the running relay")))
                : findings;
    }

    private @Nullable Finding unusable(SourceConfig source, String currentDatabase) {
        if (!kind.equals("logical") || !PLUGIN.equals(plugin)) {
            return Finding.failed(
                    SUBJECT,
                    name + " is " + kind + (plugin == null ? "" : " with plugin " + plugin) + ", not logical with "
                            + PLUGIN,
                    "Find out whose it is; if nobody's, drop it (" + dropSql(source) + ") and run 'relay init'");
        }
        if (!currentDatabase.equals(database)) {
            return Finding.failed(
                    SUBJECT,
                    name + " belongs to database '" + database + "', and slots' names are the server's",
                    "Give this source another name under relay.sources, since two databases of one server cannot have"
                            + " sources of one name");
        }
        if (invalidated != null || "lost".equals(walStatus)) {
            return Finding.failed(
                    SUBJECT,
                    name + " is lost: the server no longer has the WAL it needs"
                            + (invalidated == null ? "" : " (" + invalidated + ")"),
                    "Events between its confirmed position and now may still be in the table, but cannot be streamed."
                            + " Run 'relay recover'");
        }
        return null;
    }

    private List<Finding> warnings() {
        List<Finding> findings = new ArrayList<>();
        if ("unreserved".equals(walStatus)) {
            findings.add(Finding.warning(
                    SUBJECT,
                    name + " is about to be lost: the next checkpoint may remove WAL that it needs",
                    "Start the relay now, and raise max_slot_wal_keep_size"));
        }
        if ("extended".equals(walStatus)) {
            findings.add(Finding.warning(
                    SUBJECT,
                    name + " keeps more WAL than max_wal_size",
                    "Start the relay if it is away, or find out what holds it back ('relay status')"));
        }
        if (Boolean.FALSE.equals(failover)) {
            findings.add(Finding.warning(
                    SUBJECT,
                    name
                            + " does not fail over: a standby that is promoted has no such slot, and events of that time are"
                            + " to be recovered",
                    "While the relay is stopped, over a replication connection (psql 'dbname=... replication=database'):"
                            + " ALTER_REPLICATION_SLOT " + name + " (FAILOVER true)"));
        }
        return findings;
    }
}

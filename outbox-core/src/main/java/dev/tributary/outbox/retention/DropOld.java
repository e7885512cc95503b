package dev.tributary.outbox.retention;

import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Brings each partition of the past nearer to its end: written to, sealed, confirmed and watched for the window, detached,
 * dropped. Used by one thread.
 */
final class DropOld {
    private static final String DEFAULT = "outbox_default";
    private static final String REGISTRY = "tributary.outbox_partition";
    private static final String CONFIRMED = RetentionSession.CONFIRMED;

    private final RetentionSession session;
    private final String clock;
    private final String window;
    private Map<String, Long> sizes = new HashMap<>();
    private Set<String> holders = Set.of();

    DropOld(RetentionSession session, RetentionSettings settings) {
        this.session = session;
        this.clock = session.clock();
        this.window = RetentionSession.interval(settings.window());
    }

    /** @param elapsed since the last turn, if this session has led since */
    void run(Duration elapsed, Troubles troubles) throws SQLException {
        look();
        watch(elapsed);
        seal();
        detach(troubles);
        drop();
    }

    /** What people have dropped, detached or begun themselves. */
    private void look() throws SQLException {
        session.execute("DELETE FROM " + REGISTRY + " p WHERE to_regclass('tributary.' || p.name) IS NULL"
                + " OR NOT detached AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass('tributary.' || p.name)"
                + " AND inhparent = 'tributary.outbox'::regclass)");
        session.execute("INSERT INTO " + REGISTRY + " (name) SELECT '" + DEFAULT + "' FROM pg_partitioned_table"
                + " WHERE partrelid = 'tributary.outbox'::regclass AND partdefid = to_regclass('tributary." + DEFAULT
                + "') ON CONFLICT DO NOTHING");
        session.execute("UPDATE " + REGISTRY + " SET sealed_lsn = NULL, sealed_size = NULL, watched = NULL"
                + " WHERE NOT detached AND sealed_size <> pg_relation_size(to_regclass('tributary.' || name))");
    }

    /** A slot that is lost, or made anew, begins the window anew: that long there is for recovering from the rows. */
    private void watch(Duration elapsed) throws SQLException {
        session.execute("UPDATE " + REGISTRY + " SET watched = CASE WHEN sealed_lsn <= confirmed"
                + " THEN coalesce(watched + " + RetentionSession.interval(elapsed) + ", '0') END FROM " + CONFIRMED
                + " AS slots (confirmed) WHERE sealed_lsn IS NOT NULL AND NOT detached"
                + " AND (watched IS NOT NULL OR sealed_lsn <= confirmed)");
    }

    /** The lock waits for whoever has written and not committed, prepared transactions among them. */
    private void seal() throws SQLException {
        Map<String, Long> before = sizes;
        sizes = new HashMap<>();
        List<String> past = session.list(
                "SELECT name, pg_relation_size(to_regclass('tributary.' || name)) FROM " + REGISTRY
                        + " WHERE sealed_lsn IS NULL AND NOT detached AND (upper_bound <= " + clock
                        + " OR name = '" + DEFAULT + "' AND pg_relation_size(to_regclass('tributary.' || name)) > 0)"
                        + " ORDER BY upper_bound",
                row -> {
                    sizes.put(row.getString(1), row.getLong(2));
                    return row.getString(1);
                });
        for (String name : past) {
            if (Objects.equals(sizes.get(name), before.get(name))) { // it seems to be at rest
                session.step("LOCK TABLE tributary." + name + " IN SHARE MODE; UPDATE " + REGISTRY
                        + " SET sealed_lsn = pg_current_wal_insert_lsn(), sealed_size = pg_relation_size('tributary."
                        + name
                        + "'), watched = NULL WHERE name = '" + name + "';");
            }
        }
    }

    private void detach(Troubles troubles) throws SQLException {
        // The last events that are confirmed stay: relay recover tells by them what was dropped from what is missing
        List<String> due = session.list(
                "SELECT name FROM " + REGISTRY + " p WHERE watched >= " + window + " AND NOT detached"
                        + " AND (upper_bound <= " + clock + " - " + window + " OR name = '" + DEFAULT + "')"
                        + " AND (sealed_size = 0 OR EXISTS (SELECT FROM " + REGISTRY
                        + " later WHERE later.sealed_size > 0"
                        + " AND later.name <> p.name AND NOT later.detached AND later.sealed_lsn <= " + CONFIRMED
                        + " AND (p.upper_bound IS NULL OR later.upper_bound > p.upper_bound)))"
                        + " ORDER BY upper_bound",
                row -> row.getString(1));
        boolean free = due.isEmpty() || !heldForLong();
        for (String name : due) {
            if (name.equals(DEFAULT) && hasYoungRows(name)) {
                continue;
            }
            free = free && session.step(detaching(name));
        }
        if (!free) {
            troubles.add(
                    "partitions cannot be detached while a transaction keeps tributary.outbox locked",
                    "none if it passes; otherwise end the long transaction, pg_dump or prepared transaction that"
                            + " pg_locks names for tributary.outbox");
        }
    }

    /** By a transaction that did so a turn ago: waiting for it would hold up writers, turn by turn, for nothing. */
    private boolean heldForLong() throws SQLException {
        Set<String> before = holders;
        holders = new HashSet<>(session.list(
                "SELECT virtualtransaction FROM pg_locks WHERE granted AND pid IS DISTINCT FROM pg_backend_pid()"
                        + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                        + " AND relation IN ('tributary.outbox'::regclass, to_regclass('tributary." + DEFAULT + "'))",
                row -> row.getString(1)));
        return holders.stream().anyMatch(before::contains);
    }

    /** Written under a clock that ran ahead, they have no age; all others have to be older than the window. */
    private boolean hasYoungRows(String name) throws SQLException {
        return session.text("SELECT EXISTS (SELECT FROM tributary." + name + " WHERE occurred_at > " + clock + " - "
                        + window + " AND occurred_at <= " + clock + ")")
                .equals("t");
    }

    /** First the root, as writers do. */
    private String detaching(String name) throws SQLException {
        String retired = name;
        String replace = "";
        if (name.equals(DEFAULT)) {
            retired = DEFAULT + session.text("SELECT to_char(" + clock + ", '_YYYYMMDD\"t\"HH24MISSMS')");
            replace = "ALTER TABLE tributary." + DEFAULT + " RENAME TO " + retired + ";"
                    + " CREATE TABLE tributary." + DEFAULT + " PARTITION OF tributary.outbox DEFAULT;"
                    + " UPDATE " + REGISTRY + " SET name = '" + retired + "' WHERE name = '" + DEFAULT + "';";
        }
        return "LOCK TABLE ONLY tributary.outbox IN ACCESS EXCLUSIVE MODE;"
                + " LOCK TABLE tributary." + name + " IN ACCESS EXCLUSIVE MODE;"
                + " IF EXISTS (SELECT FROM " + REGISTRY + " WHERE name = '" + name + "' AND sealed_lsn <= " + CONFIRMED
                + " AND sealed_size = pg_relation_size('tributary." + name + "')) THEN"
                + " INSERT INTO tributary.outbox_dropped (lsn) SELECT sealed_lsn FROM " + REGISTRY + " WHERE name = '"
                + name
                + "' AND sealed_size > 0 ON CONFLICT (one) DO UPDATE SET lsn = greatest(outbox_dropped.lsn, excluded.lsn);"
                + " ALTER TABLE tributary.outbox DETACH PARTITION tributary." + name + ";" + replace
                + " UPDATE " + REGISTRY + " SET detached = true, sealed_lsn = pg_current_wal_insert_lsn()"
                + " WHERE name = '" + retired + "'; END IF;";
    }

    /** What came at the last moment, too, has to be confirmed, and of the default partition old. */
    private void drop() throws SQLException {
        List<String> detached = session.list(
                "SELECT name FROM " + REGISTRY + " WHERE detached AND sealed_lsn <= " + CONFIRMED,
                row -> row.getString(1));
        for (String name : detached) {
            if (!name.startsWith(DEFAULT) || !hasYoungRows(name)) {
                session.step(
                        "DROP TABLE tributary." + name + "; DELETE FROM " + REGISTRY + " WHERE name = '" + name + "';");
            }
        }
    }
}

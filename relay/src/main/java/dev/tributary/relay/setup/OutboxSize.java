package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Whether somebody keeps the outbox small, and may. */
final class OutboxSize {
    /** Smaller than that it is nobody's concern. */
    private static final long BYTES_MANY = 1L << 30;

    private OutboxSize() {}

    private record Sizes(long all, long byDefault, boolean kept) {}

    static List<Finding> findings(Connection connection, SourceConfig source) throws SQLException {
        Boolean member = Database.first(connection, """
                SELECT pg_has_role(o.relowner, 'MEMBER')
                FROM pg_class o JOIN pg_class p ON p.relnamespace = o.relnamespace AND p.relname = 'outbox_partition'
                WHERE o.relnamespace = to_regnamespace('tributary') AND o.relname = 'outbox'
                """, row -> row.getBoolean(1));
        if (member == null) {
            return source.retention() == null
                    ? List.of()
                    : List.of(Finding.failed(
                            "retention", "tributary.outbox_partition does not exist", "Run 'relay init'"));
        }
        List<Finding> findings = new ArrayList<>();
        if (source.retention() != null && !member) {
            findings.add(Finding.warning(
                    "retention",
                    "role '" + source.username()
                            + "' is no member of the role that owns tributary.outbox, and may neither"
                            + " make partitions nor drop them",
                    "GRANT the owner's role to \"" + source.username()
                            + "\" (docs/operating.md, Retention), or leave it to the service and remove "
                            + source.key("retention.window")));
        }
        findings.addAll(sizes(connection, source));
        return findings;
    }

    private static List<Finding> sizes(Connection connection, SourceConfig source) throws SQLException {
        Sizes sizes =
                Database.first(connection, """
                SELECT coalesce(sum(pg_total_relation_size(leaf.oid)), 0),
                       coalesce(sum(pg_relation_size(leaf.oid)) FILTER (WHERE leaf.relname = 'outbox_default'), 0),
                       count(*) > 1
                FROM pg_class root JOIN pg_inherits ON inhparent = root.oid JOIN pg_class leaf ON leaf.oid = inhrelid
                WHERE root.relnamespace = to_regnamespace('tributary') AND root.relname = 'outbox'
                """, row -> new Sizes(row.getLong(1), row.getLong(2), row.getBoolean(3)));
        if (sizes == null) {
            return List.of();
        }
        if (sizes.kept && sizes.byDefault > 0) {
            return List.of(Finding.warning(
                    "outbox",
                    "events of " + sizes.byDefault
                            + " bytes lie in the default partition, which takes those for which no"
                            + " partition was made in time",
                    "None if it was a passing matter: they go when they are older than the recovery window. Otherwise see that"
                            + " retention runs, in the relay or in the service"));
        }
        if (!sizes.kept && source.retention() == null && sizes.all > BYTES_MANY) {
            return List.of(Finding.warning(
                    "outbox",
                    "tributary.outbox has " + sizes.all + " bytes, and nobody makes partitions that could be dropped",
                    "Set " + source.key("retention.window")
                            + ", such as P1D, or tributary.outbox.retention.window in the service"));
        }
        return List.of(Finding.ok("outbox", sizes.all + " bytes"));
    }
}

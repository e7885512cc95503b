package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.AuditReport.FailedEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a view is what its events make of it. The tables are built again beside the live ones, from the beginning of
 * history and up to exactly where the live ones are, and both are compared row by row. The view is read, and written,
 * meanwhile; nothing live is changed, except by {@link #repair}.
 *
 * <p>Needs five connections of the data source besides those of the rebuild, one for each partition, and as much room in
 * the database as the tables. Thread-safe; one audit of a view at a time, in all processes.
 */
public final class Audit {
    private static final Logger LOG = LoggerFactory.getLogger(Audit.class);
    private static final Duration SNAPSHOT_WAIT_MAX = Duration.ofMinutes(5);

    private final Surroundings surroundings;
    private final LiveTables live;
    private final AuditOptions options;

    /** @param surroundings what the subscription that feeds the live tables has: its topics, settings, and database */
    public Audit(Surroundings surroundings, LiveTables live, AuditOptions options) {
        this.surroundings = surroundings;
        this.live = live;
        this.options = options;
    }

    /**
     * Compares the live tables with those that their own version makes. What is parked in the live view is parked in the
     * rebuild too, and what people have discarded has no effect there either.
     *
     * @param version the live one: its scripts create the tables to compare, its handlers are those of the live subscription
     * @throws SubscriptionException if it cannot be done; says what is in the way
     */
    public AuditReport run(ViewVersion version) throws SQLException, InterruptedException {
        try (MatchedRebuild rebuild = start("audit", EventFates::parkedAndDiscarded, version)) {
            return compare(rebuild, live.subscription(), this::everyTable).report();
        }
    }

    /**
     * Does so, and replaces the rows that differ by what the events make of them, in one transaction that keeps the live
     * subscription waiting for it. Each row is compared again in there. {@code tributary.view_repair} remembers what was there.
     *
     * @throws SubscriptionException if it cannot be done, too: nothing has been changed then
     */
    public RepairReport repair(ViewVersion version) throws SQLException, InterruptedException {
        try (MatchedRebuild rebuild = start("audit", EventFates::parkedAndDiscarded, version)) {
            Compared compared = compare(rebuild, live.subscription(), this::everyTable);
            return new Repair(surroundings, live, rebuild).run(compared.report(), compared.rows());
        }
    }

    /**
     * Tries out other handlers: applies the events to a copy that the live view has applied, says which of them could
     * not be, and which rows would be others than now. What is parked in the live view is applied here if it can be.
     *
     * @param changed what to try. If it has another history than all of it, rows are not compared, only failures told of;
     *     tables and columns that the live schema has not are not compared
     * @throws SubscriptionException if it cannot be done; says what is in the way
     */
    public AuditReport shadow(ViewVersion changed) throws SQLException, InterruptedException {
        try (MatchedRebuild rebuild = start("shadow", EventFates::discarded, changed)) {
            boolean whole = Set.of(History.Extent.WHOLE, History.Extent.REPLAYED)
                    .contains(changed.history().extent());
            return compare(rebuild, "", whole ? this::commonTables : this::noTables)
                    .report();
        }
    }

    private MatchedRebuild start(String purpose, MatchedRebuild.FateSource fates, ViewVersion version)
            throws SQLException {
        return MatchedRebuild.start(surroundings, live, purpose, fates, version, options.eventsPerSecondMax());
    }

    private record Compared(AuditReport report, List<DriftedRow> rows) {}

    /** What is compared of tables. */
    private interface Tables {
        void compare(TableComparison comparison, List<String> names, List<String> notes) throws SQLException;
    }

    private void everyTable(TableComparison comparison, List<String> names, List<String> notes) throws SQLException {
        for (String name : names) {
            comparison.compare(name, options.leftOut());
        }
    }

    private void commonTables(TableComparison comparison, List<String> names, List<String> notes) throws SQLException {
        for (String name : names) {
            if (!comparison.compareCommon(name, options.leftOut())) {
                notes.add("table " + name + " has nothing in common with one in schema " + live.schema());
            }
        }
    }

    private void noTables(TableComparison comparison, List<String> names, List<String> notes) {
        notes.add("rows were not compared, because the rebuild does not begin with the beginning");
    }

    /** @param excused the subscription whose parked aggregates may fail in the rebuild too; empty for none */
    private Compared compare(MatchedRebuild rebuild, String excused, Tables tables)
            throws SQLException, InterruptedException {
        long began = System.nanoTime();
        rebuild.approach();
        List<String> notes = new ArrayList<>();
        try (Connection now = surroundings.dataSource().getConnection();
                Connection rebuilt = surroundings.dataSource().getConnection()) {
            return Snapshots.in(now, () -> {
                // The first to read anything in this transaction, so that the tables are seen as of these positions
                Positions at = rebuild.follow(now, false);
                long parked =
                        EventFates.parkedAndDiscarded(now, live.subscription()).parked();
                Set<String> unread = rebuild.unread(now);
                if (!unread.isEmpty()) {
                    notes.add("the live tables have positions in " + unread + " too, which was not read: what came from"
                            + " there, and is not in the history that was, is missing in the rebuild");
                }
                rebuild.await(at, SNAPSHOT_WAIT_MAX);
                rebuild.settle(now);
                return Snapshots.in(rebuilt, () -> {
                    TableComparison comparison =
                            new TableComparison(now, live.schema(), rebuilt, rebuild.schema(), options.rowsMax());
                    tables.compare(comparison, ComparedTable.names(rebuilt, rebuild.schema()), notes);
                    List<FailedEvent> failures =
                            FailedEvents.read(rebuilt, rebuild.subscription().name(), excused);
                    Duration took = Duration.ofNanos(System.nanoTime() - began);
                    List<DriftedRow> drifted = comparison.kept();
                    List<RowDifference> differences =
                            new EventSearch(surroundings, rebuild.replayed(), at.offsets()).describe(drifted);
                    AuditReport report = new AuditReport(
                            live, at.offsets(), comparison.results(), differences, failures, parked, notes, took);
                    LOG.info("{}: {}", rebuild.subscription().name(), AuditText.summary(report));
                    return new Compared(report, drifted);
                });
            });
        }
    }
}

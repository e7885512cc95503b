package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people tell a view to do: each a transaction on its rows in the database, which all instances read. */
final class Commands {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    private static final Duration TRY_EVERY_MIN = Duration.ofMillis(100);
    private static final Duration TRY_EVERY_MAX = Duration.ofSeconds(2);

    private final String view;
    private final DataSource dataSource;
    private final VersionStore store;
    private final Creation creation;
    private final Switch switching;
    private final Supplier<Map<TopicPartition, Long>> ends;
    private final Runnable wake;

    /** @param wake has what the commands changed be looked at soon */
    Commands(
            String view,
            DataSource dataSource,
            VersionStore store,
            Creation creation,
            Supplier<Map<TopicPartition, Long>> ends,
            Runnable wake) {
        this.view = view;
        this.dataSource = dataSource;
        this.store = store;
        this.creation = creation;
        this.switching = new Switch(dataSource, view, store);
        this.ends = ends;
        this.wake = wake;
    }

    /**
     * Tries once; null if it is live now, else why not.
     *
     * @param evenWithParked whether readers may come to lack what that version has parked
     */
    @Nullable
    String trySwitch(int version, boolean evenWithParked) throws SQLException {
        String reason = switching.attempt(version, evenWithParked, ends.get());
        if (reason == null) {
            LOG.info("view {}: version {} is live", view, version);
        }
        return reason;
    }

    void switchTo(int version, Duration max) throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + max.toNanos();
        Duration pause = TRY_EVERY_MIN;
        String reason = trySwitch(version, true);
        while (reason != null) {
            if (System.nanoTime() + pause.toNanos() > deadline) {
                throw new SubscriptionException(
                        "view " + view + ": not switched to version " + version + " within " + max + ": " + reason);
            }
            Thread.sleep(pause.toMillis());
            pause = pause.multipliedBy(2).compareTo(TRY_EVERY_MAX) < 0 ? pause.multipliedBy(2) : TRY_EVERY_MAX;
            reason = trySwitch(version, true);
        }
        wake.run();
    }

    void switchBack(Duration max) throws SQLException, InterruptedException {
        int previous = Transactions.get(dataSource, store::read).values().stream()
                .filter(each -> each.state() == VersionState.PREVIOUS)
                .max(Comparator.comparing(VersionRow::liveAt, Comparator.nullsFirst(Comparator.naturalOrder())))
                .orElseThrow(() -> new SubscriptionException("view " + view + " has no version to go back to"))
                .version();
        switchTo(previous, max);
    }

    void pause(int version, boolean paused) throws SQLException {
        Transactions.run(dataSource, connection -> {
            VersionRow row = row(connection, version);
            if (row.state() != VersionState.BUILDING && row.state() != VersionState.PREVIOUS) {
                throw refused(row, "cannot be paused or resumed");
            }
            store.pause(connection, version, paused);
        });
        wake.run();
    }

    void remove(int version, VersionState expected, VersionState then) throws SQLException {
        Transactions.run(dataSource, connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET LOCAL lock_timeout = '10s'");
            }
            VersionRow row = row(connection, version);
            if (row.state() != expected) {
                throw refused(row, "and only a " + expected + " one can become " + then);
            }
            store.become(connection, version, then);
            VersionTables.drop(connection, row.schema(), row.subscription());
        });
        wake.run();
    }

    void rebuild(int version) throws SQLException {
        creation.again(version);
        wake.run();
    }

    private VersionRow row(Connection connection, int version) throws SQLException {
        SortedMap<Integer, VersionRow> rows = store.lock(connection);
        VersionRow row = rows.get(version);
        if (row == null) {
            throw new SubscriptionException(
                    "view " + view + " has no version " + version + "; there are " + rows.keySet());
        }
        return row;
    }

    private SubscriptionException refused(VersionRow row, String why) {
        return new SubscriptionException(
                "view " + view + ": version " + row.version() + " is " + row.state() + ", " + why);
    }
}

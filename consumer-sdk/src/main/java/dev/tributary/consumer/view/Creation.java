package dev.tributary.consumer.view;

import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;
import java.util.SortedMap;

/** Brings the versions that this instance knows into the database, with their tables. */
final class Creation {
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    private final String view;
    private final Surroundings surroundings;
    private final SortedMap<Integer, ViewVersion> known;
    private final VersionStore store;

    Creation(String view, Surroundings surroundings, SortedMap<Integer, ViewVersion> known, VersionStore store) {
        this.view = view;
        this.surroundings = surroundings;
        this.known = known;
        this.store = store;
    }

    /**
     * Creates what is missing: all versions above the live one; of a view that is new only the highest, which is live at
     * once.
     */
    void ofMissing() throws SQLException {
        SortedMap<Integer, VersionRow> rows = Transactions.get(surroundings.dataSource(), store::read);
        for (ViewVersion version : known.values()) {
            if (isMissing(version, rows)) {
                Transactions.run(surroundings.dataSource(), connection -> createIfMissing(connection, version));
            }
        }
    }

    private boolean isMissing(ViewVersion version, SortedMap<Integer, VersionRow> rows) {
        if (rows.isEmpty()) {
            return version.number() == known.lastKey();
        }
        int live = VersionStore.live(rows).map(VersionRow::version).orElse(0);
        return version.number() > live && !rows.containsKey(version.number());
    }

    private void createIfMissing(Connection connection, ViewVersion version) throws SQLException {
        SortedMap<Integer, VersionRow> rows = store.lock(connection);
        if (isMissing(version, rows)) {
            create(connection, version, liveUnlessThereIs(rows));
        }
    }

    /** One that is gone. */
    void again(int number) throws SQLException {
        ViewVersion version = known.get(number);
        if (version == null) {
            throw new SubscriptionException("view " + view + ": this instance does not know version " + number
                    + ", and so cannot build it; it knows " + known.keySet());
        }
        Transactions.run(surroundings.dataSource(), connection -> {
            SortedMap<Integer, VersionRow> rows = store.lock(connection);
            VersionRow row = rows.get(number);
            if (row != null && row.state().isFed()) {
                throw new SubscriptionException("view " + view + ": version " + number + " is " + row.state()
                        + ", and only one that is gone can be built again");
            }
            create(connection, version, liveUnlessThereIs(rows));
        });
    }

    private static VersionState liveUnlessThereIs(SortedMap<Integer, VersionRow> rows) {
        return VersionStore.live(rows).isPresent() ? VersionState.BUILDING : VersionState.LIVE;
    }

    private void create(Connection connection, ViewVersion version, VersionState state) throws SQLException {
        String schema = schema(version.number());
        store.insert(connection, version, state, subscription(view, version.number()), schema, topics(version));
        try {
            VersionTables.create(connection, schema, version.scripts());
        } catch (SQLException e) {
            throw new SQLException(
                    "the tables of version " + version.number() + " cannot be created in schema " + schema + ": "
                            + e.getMessage()
                            + (INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())
                                    ? "; grant this role CREATE on the database"
                                    : ""),
                    e.getSQLState(),
                    e);
        }
        if (state == VersionState.LIVE) {
            new StableNames(connection, view).lead(null, schema);
        }
    }

    /** All that it reads, as its own description may have more than the view. */
    Set<String> topics(ViewVersion version) {
        return described(version).addedTopics();
    }

    /** @throws SubscriptionException if a version could not be fed */
    void check() {
        known.values().forEach(version -> described(version).check());
    }

    private Subscription.Builder described(ViewVersion version) {
        return surroundings.subscription(subscription(view, version.number()), version);
    }

    static String subscription(String view, int version) {
        return view + ".v" + version;
    }

    private String schema(int version) {
        return view + "_v" + version;
    }
}

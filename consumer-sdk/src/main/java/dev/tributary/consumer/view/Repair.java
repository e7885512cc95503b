package dev.tributary.consumer.view;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.consumer.view.RowDifference.ColumnDifference;
import dev.tributary.consumer.view.RowDifference.Kind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces live rows by rebuilt ones. Both sides have moved on since they were compared, so in one transaction: the live
 * subscription's positions are locked, the rebuild is brought to them, and each row is looked at again.
 */
final class Repair {
    private static final Logger LOG = LoggerFactory.getLogger(Repair.class);
    /** Shorter than a new owner of a partition waits before it ends the session that has the position locked. */
    private static final Duration LIVE_WAITS_MAX = Duration.ofSeconds(8);

    /** Longer than the waits in between, for the rebuild and for what it has parked. */
    private static final Duration FROZEN_MAX = LIVE_WAITS_MAX.multipliedBy(4);

    /** What is in the way of a secondary unique key goes first. */
    private static final List<Kind> ORDER = List.of(Kind.EXTRA, Kind.DIFFERENT, Kind.MISSING);

    private static final JsonMapper JSON = new JsonMapper();

    private final Surroundings surroundings;
    private final LiveTables live;
    private final MatchedRebuild rebuild;
    private final List<RowDifference> repaired = new ArrayList<>();
    private long healed;

    Repair(Surroundings surroundings, LiveTables live, MatchedRebuild rebuild) {
        this.surroundings = surroundings;
        this.live = live;
        this.rebuild = rebuild;
    }

    RepairReport run(AuditReport audit, List<DriftedRow> rows) throws SQLException, InterruptedException {
        String refusal = refusal(audit, rows);
        if (!refusal.isEmpty() || rows.isEmpty()) {
            return new RepairReport(audit, List.of(), 0, refusal);
        }
        // Nearly all of the way without keeping anybody waiting
        rebuild.approach();
        try (Connection connection = surroundings.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            try {
                replaceAll(connection, rows);
                connection.commit();
            } catch (SQLException | RuntimeException | InterruptedException e) {
                connection.rollback();
                throw e;
            }
        }
        LOG.warn(
                "{}: repaired {} rows; tributary.view_repair has what was there", live.subscription(), repaired.size());
        return new RepairReport(audit, repaired, healed, "");
    }

    private static String refusal(AuditReport audit, List<DriftedRow> rows) {
        if (!audit.failures().isEmpty()) {
            return "the rebuild could not apply all events, so that its rows may be wrong too; mend the handlers first";
        }
        if (audit.drifted() > rows.size()) {
            return audit.drifted() + " rows differ, which is more than the " + rows.size()
                    + " that are repaired at a time; raise rowsMax, or build the view anew";
        }
        return rows.stream()
                .filter(row -> !row.table().hasPrimaryKey())
                .findAny()
                .map(row -> "table " + row.table().name()
                        + " has no primary key by which its rows could be replaced; build the view anew")
                .orElse("");
    }

    private void replaceAll(Connection connection, List<DriftedRow> rows) throws SQLException, InterruptedException {
        try (Statement settings = connection.createStatement()) {
            // It waits for batches, and has to see what they have done; and it must not keep them waiting when it is
            // frozen
            settings.execute(
                    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '"
                            + FROZEN_MAX.toMillis() + "ms'; SET LOCAL lock_timeout = '" + LIVE_WAITS_MAX.toMillis()
                            + "ms';" + Snapshots.TEXTS);
        }
        Positions locked = rebuild.follow(connection, true);
        rebuild.await(locked, LIVE_WAITS_MAX);
        rebuild.settle(connection);
        List<DriftedRow> now = new ArrayList<>();
        for (DriftedRow row : rows) {
            DriftedRow still = reread(connection, row);
            if (still != null) {
                now.add(still);
            }
        }
        healed = (long) rows.size() - now.size();
        now.sort(Comparator.comparingInt(row -> ORDER.indexOf(row.kind())));
        for (DriftedRow row : now) {
            replace(connection, row);
            remember(connection, row, locked);
            repaired.add(row.described(List.of()));
        }
    }

    /** The row as both sides have it now; null if they agree. */
    private @Nullable DriftedRow reread(Connection connection, DriftedRow row) throws SQLException {
        @Nullable String @Nullable [] ours = read(connection, live.schema(), row, " FOR UPDATE");
        @Nullable String @Nullable [] theirs = read(connection, rebuild.schema(), row, "");
        return Arrays.equals(ours, theirs) ? null : new DriftedRow(row.table(), ours, theirs);
    }

    private static @Nullable String @Nullable [] read(Connection connection, String schema, DriftedRow row, String lock)
            throws SQLException {
        String sql = row.table().selectOne(schema) + lock;
        try (PreparedStatement query = connection.prepareStatement(sql)) {
            setKey(query, row);
            try (ResultSet found = query.executeQuery()) {
                return found.next()
                        ? RowStream.texts(found, row.table().columns().size())
                        : null;
            }
        }
    }

    private void replace(Connection connection, DriftedRow row) throws SQLException {
        try (PreparedStatement change = connection.prepareStatement(statement(connection, row))) {
            setKey(change, row);
            int rows = change.executeUpdate();
            if (rows != 1) {
                throw new SQLException("replacing " + row.table().name() + " " + row.key() + " changed " + rows
                        + " rows; is there a trigger or a rule on it?");
            }
        }
    }

    private String statement(Connection connection, DriftedRow row) throws SQLException {
        String ours = ComparedTable.qualified(live.schema(), row.table().name());
        String theirs = ComparedTable.qualified(rebuild.schema(), row.table().name());
        String key = row.table().keyCondition();
        return switch (row.kind()) {
            case EXTRA -> "DELETE FROM " + ours + " AS r WHERE " + key;
            case DIFFERENT ->
                "UPDATE " + ours + " AS r SET "
                        + row.differing().stream()
                                .map(column -> column.quoted() + " = s." + column.quoted())
                                .collect(Collectors.joining(", "))
                        + " FROM " + theirs + " AS s WHERE "
                        + row.table().key().stream()
                                .map(column -> "s." + column.quoted() + " = r." + column.quoted())
                                .collect(Collectors.joining(" AND "))
                        + " AND " + key;
            case MISSING -> {
                String columns = writable(connection, row.table().name());
                yield "INSERT INTO " + ours + " (" + columns + ") OVERRIDING SYSTEM VALUE SELECT " + columns + " FROM "
                        + theirs + " AS r WHERE " + key;
            }
        };
    }

    /** Also those that are not compared. */
    private String writable(Connection connection, String table) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_catalog.pg_attribute WHERE"
                        + " attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''")) {
            query.setString(1, ComparedTable.qualified(live.schema(), table));
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }

    private static void setKey(PreparedStatement statement, DriftedRow row) throws SQLException {
        List<@Nullable String> key = row.key();
        for (int i = 0; i < key.size(); i++) {
            statement.setString(i + 1, key.get(i));
        }
    }

    private void remember(Connection connection, DriftedRow row, Positions at) throws SQLException {
        RowDifference described = row.described(List.of());
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO tributary.view_repair (subscription, schema_name, table_name, row_key, kind, before, after, positions)"
                        + " VALUES (?, ?, ?, ?::jsonb, ?, ?::jsonb, ?::jsonb, ?::jsonb)")) {
            insert.setString(1, live.subscription());
            insert.setString(2, live.schema());
            insert.setString(3, described.table());
            insert.setString(4, json(described.key()));
            insert.setString(5, described.kind().name());
            insert.setString(6, row.kind() == Kind.MISSING ? null : json(side(described, ColumnDifference::live)));
            insert.setString(7, row.kind() == Kind.EXTRA ? null : json(side(described, ColumnDifference::rebuilt)));
            insert.setString(
                    8,
                    json(at.offsets().entrySet().stream()
                            .collect(Collectors.toMap(each -> each.getKey().toString(), Map.Entry::getValue))));
            insert.executeUpdate();
        }
    }

    private static Map<String, @Nullable String> side(
            RowDifference row, Function<ColumnDifference, @Nullable String> value) {
        Map<String, @Nullable String> columns = new LinkedHashMap<>();
        row.columns().forEach(column -> columns.put(column.column(), value.apply(column)));
        return columns;
    }

    private static String json(Map<String, ?> values) throws SQLException {
        try {
            return JSON.writeValueAsString(values);
        } catch (JsonProcessingException e) {
            throw new SQLException("a row cannot be written as JSON", e);
        }
    }
}

package dev.tributary.consumer.rows;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the database's catalogue says of the tables in use, by the names that handlers use. A name may come to mean
 * another table, with another {@code search_path}: each statement checks that for itself ({@link Statements}). Not
 * thread-safe.
 */
public final class Tables {
    private static final String UNDEFINED_TABLE = "42P01";

    private static final String COLUMNS = """
            SELECT c.oid,
                   quote_ident(n.nspname) || '.' || quote_ident(c.relname),
                   EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid
                           AND f.confdeltype IN ('c', 'n', 'd')),
                   EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid
                           AND f.confupdtype IN ('c', 'n', 'd')),
                   a.attname,
                   quote_ident(a.attname),
                   quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
                   CASE WHEN b.typtype = 'e' THEN 'enum' WHEN b.typcategory = 'A' THEN 'array'
                        WHEN b.typnamespace = 'pg_catalog'::regnamespace THEN b.typname ELSE '' END,
                   CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
                   coalesce(co.collisdeterministic, true),
                   a.attnotnull OR t.typnotnull,
                   a.attgenerated <> '',
                   a.attidentity <> '' OR a.atthasdef OR t.typdefault IS NOT NULL,
                   coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), t.typdefault)
              FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
              JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
              JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
              LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
              LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
             WHERE c.oid = pg_catalog.to_regclass(?)
             ORDER BY a.attnum""";

    /** Those that ON CONFLICT can use. */
    private static final String UNIQUE_KEYS = """
            SELECT i.indexrelid, a.attname
              FROM pg_catalog.pg_index i
              JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place) ON k.place <= i.indnkeyatts
              JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indrelid = ?::bigint::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                   AND i.indpred IS NULL AND i.indexprs IS NULL""";

    private final Map<String, Table> known = new HashMap<>();

    /** So that the next batch asks the database again. */
    void forget() {
        known.clear();
    }

    Table find(Connection connection, String name) throws SQLException {
        Table table = known.get(name);
        if (table == null) {
            table = read(connection, name);
            known.put(name, table);
        }
        return table;
    }

    private static Table read(Connection connection, String name) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(COLUMNS)) {
            query.setString(1, name);
            try (ResultSet rows = query.executeQuery()) {
                if (!rows.next()) {
                    throw new SQLException(
                            "there is no table " + name
                                    + " that this role finds; create it, or qualify its name with its schema",
                            UNDEFINED_TABLE);
                }
                long oid = rows.getLong(1);
                String qualified = rows.getString(2);
                boolean deletesReach = rows.getBoolean(3);
                boolean updatesReach = rows.getBoolean(4);
                List<Column> columns = new ArrayList<>();
                do {
                    columns.add(column(rows, columns.size()));
                } while (rows.next());
                return new Table(
                        name, oid, qualified, columns, uniqueKeys(connection, oid), deletesReach, updatesReach);
            }
        }
    }

    private static Column column(ResultSet row, int index) throws SQLException {
        ColumnType type = ColumnType.of(row.getString(8), row.getInt(9), row.getBoolean(10));
        boolean hasDefault = row.getBoolean(13);
        return new Column(
                index,
                row.getString(5),
                row.getString(6),
                row.getString(7),
                type,
                row.getBoolean(11) && !hasDefault,
                row.getBoolean(12),
                row.getString(14));
    }

    private static Set<Set<String>> uniqueKeys(Connection connection, long oid) throws SQLException {
        Map<Long, Set<String>> keys = new LinkedHashMap<>();
        try (PreparedStatement query = connection.prepareStatement(UNIQUE_KEYS)) {
            query.setLong(1, oid);
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    keys.computeIfAbsent(rows.getLong(1), index -> new HashSet<>())
                            .add(rows.getString(2));
                }
            }
        }
        return Set.copyOf(keys.values());
    }
}

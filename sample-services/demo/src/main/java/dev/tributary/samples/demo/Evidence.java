package dev.tributary.samples.demo;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Effect;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the services' databases from outside, as no service may. Needs {@code track_commit_timestamp} in PostgreSQL.
 * Thread-safe.
 */
final class Evidence implements AutoCloseable {
    private static final String COMMITTED_BY_SALES = """
            SELECT id::text, aggregate_type || '/' || aggregate_id, sequence, aggregate_type || '/' || aggregate_id,
                   pg_xact_commit_timestamp(xmin)
              FROM tributary.outbox
            UNION ALL
            SELECT id::text, aggregate_type || '/' || aggregate_id, sequence,
                   CASE type WHEN 'order.shipped.v1' THEN 'shipped ' ELSE '' END || aggregate_type || '/' || aggregate_id,
                   pg_xact_commit_timestamp(xmin)
              FROM tributary.event_store""";

    /** Sales keeps its orders as their events. */
    private static final String ORDERS = """
            (SELECT aggregate_id::uuid AS id, (placed->>'customerId')::uuid AS customer_id,
                    (placed->>'totalCents')::bigint AS total_cents, (placed->>'placedAt')::timestamptz AS placed_at,
                    (shipped->>'shippedAt')::timestamptz AS shipped_at
               FROM (SELECT aggregate_id,
                            max(payload::text) FILTER (WHERE type = 'order.placed.v1')::json AS placed,
                            max(payload::text) FILTER (WHERE type = 'order.shipped.v1')::json AS shipped
                       FROM tributary.event_store_readable WHERE aggregate_type = 'order'
                      GROUP BY aggregate_id) AS events) AS o""";

    private static final String COMMITTED_BY_FULFILMENT = """
            SELECT e.id::text, e.aggregate_type || '/' || e.aggregate_id, e.sequence, 'shipment of ' || s.order_id,
                   pg_xact_commit_timestamp(e.xmin)
              FROM tributary.outbox e JOIN shipment s ON s.id::text = e.aggregate_id""";

    private static final String EFFECTS = """
            SELECT 'customer/' || customer_id, times_applied, pg_xact_commit_timestamp(xmin) FROM customer
            UNION ALL
            SELECT 'order/' || order_id, times_applied, pg_xact_commit_timestamp(xmin) FROM placed_order
            UNION ALL
            SELECT 'shipped order/' || order_id, times_applied, pg_xact_commit_timestamp(xmin) FROM shipped_order
            UNION ALL
            SELECT 'shipment of ' || order_id, times_applied, pg_xact_commit_timestamp(xmin) FROM shipment""";

    private static final String CUSTOMERS_SHOWN = """
            SELECT 'customer ' || customer_id,
                   row(name, email, registered_at, orders_placed, orders_shipped, total_cents, last_order_at, sequence)::text
              FROM customer_view""";

    /** What sales knows of shipments it has from fulfilment's events, so this checks that way round, too. */
    private static final String CUSTOMERS_IN_TRUTH = """
            SELECT 'customer ' || c.id,
                   row(c.name, c.email, c.registered_at, count(o.id), count(o.shipped_at),
                       coalesce(sum(o.total_cents), 0)::bigint, max(o.placed_at),
                       (SELECT sequence FROM tributary.aggregate
                         WHERE aggregate_type = 'customer' AND aggregate_id = c.id::text))::text
              FROM customer c LEFT JOIN %s ON o.customer_id = c.id
             GROUP BY c.id""".formatted(ORDERS);

    private static final String ORDERS_SHOWN =
            "SELECT 'order ' || order_id, row(o.customer_id, o.placed_at, o.total_cents, s.shipped_at)::text"
                    + " FROM placed_order o LEFT JOIN shipped_order s USING (order_id)";
    private static final String ORDERS_IN_TRUTH =
            "SELECT 'order ' || id, row(customer_id, placed_at, total_cents, shipped_at)::text FROM " + ORDERS;
    private static final String SHIPMENTS_SHOWN =
            "SELECT 'shipment of ' || order_id, row(carrier, tracking, shipped_at)::text FROM shipment";

    private final Connection sales;
    private final Connection fulfilment;
    private final Connection support;

    Evidence(LocalPostgres postgres) {
        sales = postgres.connect(postgres.url(Services.SALES));
        fulfilment = postgres.connect(postgres.url(Services.FULFILMENT));
        support = postgres.connect(postgres.url(Services.SUPPORT));
    }

    /** What there is so far, without topics and rows: cheap enough to ask often. */
    synchronized Findings soFar() throws SQLException {
        // Effects first: one that is seen was committed before, and is not missed among the committed
        Map<String, Effect> effects = effects();
        List<Committed> committed = new ArrayList<>(committed(sales, Services.SALES, COMMITTED_BY_SALES));
        committed.addAll(committed(fulfilment, Services.FULFILMENT, COMMITTED_BY_FULFILMENT));
        return new Findings(Set.of(), committed, List.of(), Map.of(), Map.of(), effects);
    }

    /**
     * Everything. Nothing may be under way any more.
     *
     * @param acknowledged ids of orders, as in {@link Findings#acknowledged}
     */
    synchronized Findings all(String bootstrapServers, Set<String> acknowledged) throws SQLException {
        Findings found = soFar();
        Map<String, String> shown = rows(support, CUSTOMERS_SHOWN);
        shown.putAll(rows(support, ORDERS_SHOWN));
        shown.putAll(rows(support, SHIPMENTS_SHOWN));
        Map<String, String> truth = rows(sales, CUSTOMERS_IN_TRUTH);
        truth.putAll(rows(sales, ORDERS_IN_TRUTH));
        truth.putAll(rows(fulfilment, SHIPMENTS_SHOWN));
        return new Findings(
                acknowledged, found.committed(), Topics.read(bootstrapServers), shown, truth, found.effects());
    }

    /** How many orders sales has, and how many of them it knows to be shipped. */
    synchronized Orders orders() throws SQLException {
        try (var statement = sales.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*), count(shipped_at) FROM " + ORDERS)) {
            row.next();
            return new Orders(row.getLong(1), row.getLong(2));
        }
    }

    /** Counts of orders at sales. */
    record Orders(long placed, long shipped) {}

    private static List<Committed> committed(Connection database, String source, String sql) throws SQLException {
        List<Committed> events = new ArrayList<>();
        try (var statement = database.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                events.add(new Committed(
                        row.getString(1),
                        source,
                        row.getString(2),
                        row.getLong(3),
                        row.getString(4),
                        row.getObject(5, OffsetDateTime.class).toInstant()));
            }
        }
        return events;
    }

    private Map<String, Effect> effects() throws SQLException {
        Map<String, Effect> effects = new HashMap<>();
        try (var statement = support.createStatement();
                ResultSet row = statement.executeQuery(EFFECTS)) {
            while (row.next()) {
                effects.put(
                        row.getString(1),
                        new Effect(
                                row.getInt(2),
                                row.getObject(3, OffsetDateTime.class).toInstant()));
            }
        }
        return effects;
    }

    private static Map<String, String> rows(Connection database, String sql) throws SQLException {
        Map<String, String> rows = new HashMap<>();
        try (var statement = database.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                rows.put(row.getString(1), row.getString(2));
            }
        }
        return rows;
    }

    @Override
    public void close() throws SQLException {
        sales.close();
        fulfilment.close();
        support.close();
    }
}

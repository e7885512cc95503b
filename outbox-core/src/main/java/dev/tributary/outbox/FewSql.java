package dev.tributary.outbox;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntFunction;

/** A statement for each number of events up to {@link WriteFew#EVENTS_MAX}, made once, as long as they are. Thread-safe. */
final class FewSql {
    private final IntFunction<String> make;
    private final AtomicReferenceArray<String> made = new AtomicReferenceArray<>(WriteFew.EVENTS_MAX + 1);

    private FewSql(IntFunction<String> make) {
        this.make = make;
    }

    static FewSql unsequenced() {
        String row = "(?, ?, ?, ?, ?, ?, ?::json, statement_timestamp())";
        return new FewSql(events -> "INSERT INTO tributary.outbox"
                + " (id, aggregate_type, aggregate_id, type, content_type, payload, headers, occurred_at) VALUES "
                + (row + ", ").repeat(events - 1) + row);
    }

    /**
     * Moves an aggregate's head and writes its events behind it; nothing if the head is not moved. Answers with the number of
     * events written only: a row, such as one with the sequence, takes PostgreSQL 6 % more instructions.
     *
     * @param moveHead a statement that may have {@code %d} in place of the number of events
     */
    static FewSql numbered(String table, String moveHead) {
        return new FewSql(events -> head(moveHead, events) + " " + insertBehindHead(table, events));
    }

    /** The same, and answers with the head's sequence, in one row. */
    static FewSql numberedAndTold(String table, String moveHead) {
        // Not from what was inserted: who may write need not be allowed to read events
        return new FewSql(events -> head(moveHead, events) + ", written AS (" + insertBehindHead(table, events)
                + ") SELECT sequence FROM head");
    }

    private static String head(String moveHead, int events) {
        return "WITH head AS (" + moveHead.formatted(events)
                + " RETURNING head.aggregate_type, head.aggregate_id, head.sequence)";
    }

    private static String insertBehindHead(String table, int events) {
        String insert = "INSERT INTO " + table
                + " (id, aggregate_type, aggregate_id, sequence, type, content_type, payload, headers, occurred_at)";
        return events == 1
                ? insert + " SELECT ?, head.aggregate_type, head.aggregate_id, head.sequence, ?, ?, ?, ?::json,"
                        + " statement_timestamp() FROM head"
                : insert + " SELECT e.id, head.aggregate_type, head.aggregate_id, head.sequence - " + events
                        + " + e.place, e.type, e.content_type, e.payload, e.headers, statement_timestamp()"
                        // Joined with one row, and without a condition, these stay in their order
                        + " FROM head CROSS JOIN (VALUES " + rows(events)
                        + ") AS e (id, type, content_type, payload, headers, place)";
    }

    private static String rows(int events) {
        StringBuilder rows = new StringBuilder();
        for (int place = 1; place <= events; place++) {
            rows.append(place == 1 ? "" : ", ")
                    .append("(?::uuid, ?::text, ?::text, ?::bytea, ?::json, ")
                    .append(place)
                    .append(')');
        }
        return rows.toString();
    }

    String of(int events) {
        String sql = made.get(events);
        if (sql == null) {
            sql = make.apply(events);
            made.set(events, sql);
        }
        return sql;
    }
}

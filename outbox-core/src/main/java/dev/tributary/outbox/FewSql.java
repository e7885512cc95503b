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

    /** Parameters: content type and headers of all events; then of each id, aggregate type and id, type, payload. */
    static FewSql unsequenced() {
        String row = "(?::uuid, ?::text, ?::text, ?::text, ?::bytea)";
        return new FewSql(events -> "INSERT INTO tributary.outbox"
                + " (content_type, headers, occurred_at, id, aggregate_type, aggregate_id, type, payload)"
                + " SELECT ?, ?::json, statement_timestamp(), e.* FROM (VALUES "
                + (row + ", ").repeat(events - 1) + row + ") AS e");
    }

    /**
     * Moves an aggregate's head and writes its events behind it; nothing if the head is not moved. Answers with the number of
     * events written only: a row, such as one with the sequence, takes PostgreSQL 6 % more instructions. Parameters: those that
     * move the head; content type and headers of all events; then of each id, type, payload.
     *
     * @param moveHead a statement that may have {@code %d} in place of the number of events
     */
    static FewSql numbered(String table, String moveHead) {
        return new FewSql(events -> head(moveHead, events) + " " + insertBehindHead(table, events));
    }

    /** The same, and answers with a row: the head's sequence, and the number of events written. */
    static FewSql numberedAndTold(String table, String moveHead) {
        // Not from what was inserted: who may write need not be allowed to read events
        return new FewSql(events -> head(moveHead, events) + ", written AS (" + insertBehindHead(table, events)
                + " RETURNING 1) SELECT sequence, (SELECT count(*) FROM written) FROM head");
    }

    private static String head(String moveHead, int events) {
        return "WITH head AS (" + moveHead.formatted(events)
                + " RETURNING head.aggregate_type, head.aggregate_id, head.sequence)";
    }

    private static String insertBehindHead(String table, int events) {
        String sequence = events == 1 ? "head.sequence" : "head.sequence - " + events + " + e.place";
        return "INSERT INTO " + table
                + " (content_type, headers, occurred_at, aggregate_type, aggregate_id, sequence, id, type, payload)"
                + " SELECT ?, ?::json, statement_timestamp(), head.aggregate_type, head.aggregate_id, " + sequence
                + ", e.id, e.type, e.payload"
                // Joined with one row, and without a condition, these stay in their order
                + " FROM head CROSS JOIN (VALUES " + rows(events) + ") AS e (id, type, payload, place)";
    }

    private static String rows(int events) {
        StringBuilder rows = new StringBuilder();
        for (int place = 1; place <= events; place++) {
            rows.append(place == 1 ? "" : ", ")
                    .append("(?::uuid, ?::text, ?::bytea, ")
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

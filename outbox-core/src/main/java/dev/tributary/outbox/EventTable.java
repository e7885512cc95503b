package dev.tributary.outbox;

import org.jspecify.annotations.Nullable;

/** Where numbered events are written, and how. Thread-safe. */
final class EventTable {
    private static final String INSERT_HEAD =
            "INSERT INTO tributary.aggregate AS head (aggregate_type, aggregate_id, sequence) VALUES (?, ?, %d)";

    static final EventTable OUTBOX = new EventTable("tributary.outbox");
    static final EventTable EVENT_STORE = new EventTable("tributary.event_store");

    private final FewSql next;
    private final FewSql first;
    private final FewSql following;

    private EventTable(String table) {
        next = FewSql.numbered(
                table,
                INSERT_HEAD + " ON CONFLICT (aggregate_type, aggregate_id)"
                        + " DO UPDATE SET sequence = head.sequence + excluded.sequence");
        first = FewSql.numberedIfMoved(table, INSERT_HEAD + " ON CONFLICT DO NOTHING");
        following = FewSql.numberedIfMoved(
                table,
                "UPDATE tributary.aggregate AS head SET sequence = head.sequence + %d"
                        + " WHERE aggregate_type = ? AND aggregate_id = ? AND sequence = ?");
    }

    /**
     * Where nothing is expected, the answer is a row with the aggregate's sequence after these events; otherwise the number of
     * events written: none if the aggregate is not at what is expected.
     */
    String insert(@Nullable Long expectedLast, int events) {
        FewSql sql = expectedLast == null ? next : expectedLast == 0 ? first : following;
        return sql.of(events);
    }
}

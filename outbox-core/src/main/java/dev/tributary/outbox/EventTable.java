package dev.tributary.outbox;

/** Where numbered events are written, and how: a statement for each number of events of one aggregate. Thread-safe. */
final class EventTable {
    private static final String INSERT_HEAD =
            "INSERT INTO tributary.aggregate AS head (aggregate_type, aggregate_id, sequence) VALUES (?, ?, %d)";
    private static final String INSERT_OR_MOVE_HEAD = INSERT_HEAD + " ON CONFLICT (aggregate_type, aggregate_id)"
            + " DO UPDATE SET sequence = head.sequence + excluded.sequence, room = NULL";

    static final EventTable OUTBOX = new EventTable("tributary.outbox");
    static final EventTable EVENT_STORE = new EventTable("tributary.event_store");

    private final FewSql next;
    private final FewSql nextAndTell;
    private final FewSql first;
    private final FewSql following;

    private EventTable(String table) {
        next = FewSql.numbered(table, INSERT_OR_MOVE_HEAD);
        nextAndTell = FewSql.numberedAndTold(table, INSERT_OR_MOVE_HEAD);
        first = FewSql.numbered(table, INSERT_HEAD + " ON CONFLICT DO NOTHING");
        following = FewSql.numbered(
                table,
                "UPDATE tributary.aggregate AS head SET sequence = head.sequence + %d, room = NULL"
                        + " WHERE aggregate_type = ? AND aggregate_id = ? AND sequence = ?");
    }

    /** Whatever the aggregate is at. */
    String next(int events) {
        return next.of(events);
    }

    /** The same; answers with a row: the aggregate's sequence after these events, and how many of them were written. */
    String nextAndTell(int events) {
        return nextAndTell.of(events);
    }

    /** Writes nothing if the aggregate is not at what is expected, 0 for one without events. */
    String expecting(long last, int events) {
        return (last == 0 ? first : following).of(events);
    }
}

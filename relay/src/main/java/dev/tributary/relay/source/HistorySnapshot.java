package dev.tributary.relay.source;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What a moment in a database's log was to the tables: which transactions had committed. As events are never changed, that
 * tells for ever which rows there were, by the transaction ids that they keep.
 *
 * @param lsn what had committed before it, and nothing else, is seen
 * @param text as PostgreSQL has it, {@code xmin:xmax:xid,...}. Of a slot's snapshot the list names all transactions between that
 *     had not committed, subtransactions too
 * @param takenAt by the database's clock
 */
public record HistorySnapshot(long lsn, String text, Instant takenAt) {
    /** Rows have 32 bits of their transaction's id. */
    private static final long XIDS = 1L << 32;
    /** Ids that were frozen long ago, and those that a superuser has given. */
    private static final int SPECIAL_XID_MAX = 2;

    private static final Duration OLDEST_TRANSACTION = Duration.ofDays(7);

    /** Whether rows still tell, when {@code nextXid} is the next transaction's id. */
    boolean isLegible(long nextXid) {
        return nextXid - Long.parseUnsignedLong(text.split(":", -1)[0]) < XIDS / 2;
    }

    /** As SQL, of a row of an event table: whether it was <em>not</em> there yet. */
    String isLaterSql(long nextXid) {
        String[] parts = text.split(":", -1);
        long xmax = Long.parseUnsignedLong(parts[1]);
        String xid = "xmin::text::bigint";
        List<String> later = new ArrayList<>();
        later.add("((" + (nextXid & (XIDS - 1)) + " - " + xid + ") & " + (XIDS - 1) + ") <= " + (nextXid - xmax));
        if (!parts[2].isEmpty()) {
            List<String> running = new ArrayList<>();
            for (String each : parts[2].split(",", -1)) {
                running.add(Long.toString(Long.parseUnsignedLong(each) & (XIDS - 1)));
            }
            later.add(xid + " IN (" + String.join(", ", running) + ")");
        }
        // A row that is billions of transactions old looks young again
        String notAgain =
                nextXid < XIDS ? "" : " AND occurred_at >= '" + takenAt.minus(OLDEST_TRANSACTION) + "'::timestamptz";
        return "(" + xid + " > " + SPECIAL_XID_MAX + " AND (" + String.join(" OR ", later) + ")" + notAgain + ")";
    }
}

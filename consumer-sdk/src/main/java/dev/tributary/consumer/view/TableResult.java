package dev.tributary.consumer.view;

/**
 * What comparing a table has come to.
 *
 * @param rows the live table's
 * @param missing rows that it lacks
 * @param extra rows that it should not have
 * @param different rows with other values than they should have
 */
public record TableResult(String table, long rows, long missing, long extra, long different) {
    /** How many rows are not what they should be. */
    public long drifted() {
        return missing + extra + different;
    }
}

package dev.tributary.relay.flow;

import dev.tributary.outbox.wire.Position;

/**
 * Which LSN an engine has for a transaction. Records in the log begin at multiples of 8, so the two forms never meet, and
 * every transaction's position of either form lies between those of its neighbours of either form.
 */
public enum PositionForm {
    /** Where the commit record begins: pgoutput's {@code final_lsn}. */
    COMMIT_START,
    /** The last byte of the commit record, for an engine that learns only where the transaction ends. */
    COMMIT_END;

    private static final int ALIGNMENT = 8;

    /** The form that {@code position} has. */
    public static PositionForm of(Position position) {
        return Long.remainderUnsigned(position.commitLsn(), ALIGNMENT) == ALIGNMENT - 1 ? COMMIT_END : COMMIT_START;
    }
}

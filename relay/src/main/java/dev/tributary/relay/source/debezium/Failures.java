package dev.tributary.relay.source.debezium;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Finds in what Debezium ended with what the relay goes by. */
final class Failures {
    private static final String SLOT_IN_USE = "55006";
    private static final String UNDEFINED_OBJECT = "42704";

    private Failures() {}

    /**
     * What to throw.
     *
     * @throws SQLException if that is what lies at the bottom
     */
    static RelayException of(SourceConfig source, @Nullable Throwable failure) throws SQLException {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException e) {
                if (SLOT_IN_USE.equals(e.getSQLState())) {
                    return busy(source, e);
                }
                if (UNDEFINED_OBJECT.equals(e.getSQLState())
                        && String.valueOf(e.getMessage()).contains(source.slot())) {
                    return new RelayException.SlotLost(
                            "slot " + source.slot() + " does not exist", "run `init` if this source is new");
                }
                throw e;
            }
        }
        Throwable root = failure;
        while (root != null && root.getCause() != null) {
            root = root.getCause();
        }
        return new RelayException(
                "Debezium ended: " + (root == null ? "it does not say why" : root.getMessage()),
                "`check` may say more; engine: pgoutput does without Debezium",
                failure);
    }

    static RelayException.SlotBusy busy(SourceConfig source, @Nullable Throwable cause) {
        return new RelayException.SlotBusy(
                "slot " + source.slot() + " is in use" + (cause == null ? "" : ": " + cause.getMessage()),
                "none if another relay streams this source; this one takes over when the slot is free",
                cause);
    }
}

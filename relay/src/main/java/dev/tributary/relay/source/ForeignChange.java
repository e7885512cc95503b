package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A change of an event table that is no new event, let through by a publication that somebody altered. */
public final class ForeignChange {
    private static final Logger LOG = LoggerFactory.getLogger(ForeignChange.class);

    private ForeignChange() {}

    /**
     * Returns only if the operator has said that it does not matter. It has to be said, for the change stays in the log
     * and comes at every start, also when the publication has been mended.
     *
     * @param transaction a number that tells the transaction that made the change from others
     */
    public static void refuse(SourceConfig source, String operation, String table, long transaction) {
        String change = operation + " on " + table;
        UUID id = UUID.nameUUIDFromBytes((change + " " + transaction).getBytes(StandardCharsets.UTF_8));
        if (source.skip().contains(id)) {
            LOG.warn("Passed over, as configured: {} ({})", change, id);
            return;
        }
        throw new RelayException.Stopped(
                change + " came through the publication, and events are immutable: what readers have is not changed",
                "let the publication send inserts only (ALTER PUBLICATION " + source.publication()
                        + " SET (publish = 'insert')); then name " + id + " under " + source.key("skip")
                        + " to go on without that change",
                null);
    }
}

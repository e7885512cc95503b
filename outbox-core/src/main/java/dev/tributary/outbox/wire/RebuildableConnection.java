package dev.tributary.outbox.wire;

import java.sql.Connection;

/**
 * Marks, by {@link Connection#isWrapperFor}, connections in whose transactions history may be applied again, as when a
 * view is rebuilt. An event published there would be published again each time, so the outbox refuses to.
 */
public interface RebuildableConnection extends Connection {}

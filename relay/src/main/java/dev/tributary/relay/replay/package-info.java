/**
 * What {@code relay replay} does: {@link dev.tributary.relay.replay.HistoryReplay} writes a source's history, from the rows of
 * its database, to a topic of its own. Uses the stages as {@code Relay} does.
 */
@NullMarked
package dev.tributary.relay.replay;

import org.jspecify.annotations.NullMarked;

/**
 * What {@code relay recover} does: {@link dev.tributary.relay.recover.SlotRecovery} replaces a slot that is lost and
 * publishes what Kafka lacks from the rows that the database has kept. Uses the stages as {@code Relay} does.
 */
@NullMarked
package dev.tributary.relay.recover;

import org.jspecify.annotations.NullMarked;

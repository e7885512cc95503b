/**
 * Keeps {@code tributary.outbox} small: {@link dev.tributary.outbox.retention.OutboxRetention} makes partitions ahead and drops
 * those that are confirmed and older than the recovery window. Used by the relay, or by a service; needs JDBC alone.
 */
@NullMarked
package dev.tributary.outbox.retention;

import org.jspecify.annotations.NullMarked;

/**
 * Aggregates that are kept as their events, written as two functions: {@link
 * dev.tributary.outbox.aggregate.Decider#decide} and {@link dev.tributary.outbox.aggregate.Decider#evolve}.
 */
@NullMarked
package dev.tributary.outbox.aggregate;

import org.jspecify.annotations.NullMarked;

/**
 * What relay and consumers agree on: the header names of an event on the wire and its {@link
 * dev.tributary.outbox.wire.Position}. Depends on nothing else.
 */
@NullMarked
package dev.tributary.outbox.wire;

import org.jspecify.annotations.NullMarked;

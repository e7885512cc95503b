/**
 * The write side for Micronaut services: {@link dev.tributary.outbox.micronaut.TransactionalOutbox} publishes in the
 * ambient {@code @Transactional}. Needs a bean of {@link dev.tributary.outbox.EventTypes}; does nothing without one, and
 * nothing at all to those who do not use Micronaut.
 */
@NullMarked
package dev.tributary.outbox.micronaut;

import org.jspecify.annotations.NullMarked;

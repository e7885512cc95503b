/**
 * Subscriptions of a Micronaut application: a bean class with {@link dev.tributary.consumer.micronaut.EventSubscription},
 * methods with {@link dev.tributary.consumer.micronaut.OnEvent}. Everything of Micronaut's is an optional dependency and
 * stays in this package.
 */
@NullMarked
package dev.tributary.consumer.micronaut;

import org.jspecify.annotations.NullMarked;

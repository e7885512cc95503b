/**
 * The read side: a {@link dev.tributary.consumer.Subscription} applies other services' events to this service's own
 * view, each exactly once, by keeping its position in the view's database and in the view's transaction. Its
 * neighbours are {@code dev.tributary.outbox.wire}, the format that it reads, and {@code dev.tributary.consumer.micronaut},
 * which starts subscriptions with an application; nothing here knows a framework, or the relay.
 */
@NullMarked
package dev.tributary.consumer;

import org.jspecify.annotations.NullMarked;

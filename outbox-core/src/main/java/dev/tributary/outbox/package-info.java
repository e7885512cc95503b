/**
 * The write side: {@link dev.tributary.outbox.Outbox} puts domain events into {@code tributary.outbox} on the caller's
 * JDBC connection, in the transaction that changes the data. Knows neither Kafka nor a framework; its neighbours are
 * {@link dev.tributary.outbox.wire}, the format that relay and consumers share, and the SQL migrations in the resources.
 */
@NullMarked
package dev.tributary.outbox;

import org.jspecify.annotations.NullMarked;

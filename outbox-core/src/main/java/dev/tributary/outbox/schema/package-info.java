/**
 * How events written long ago are read today: {@link dev.tributary.outbox.schema.Upcasters} lead from old versions to the
 * newest, {@link dev.tributary.outbox.schema.PayloadReader} makes objects of payloads and says what is missing in them.
 * Used by consumers before handlers, and wherever stored events are loaded. Knows neither Kafka nor a database.
 */
@NullMarked
package dev.tributary.outbox.schema;

import org.jspecify.annotations.NullMarked;

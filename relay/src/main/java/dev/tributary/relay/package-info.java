/** {@link dev.tributary.relay.Relay} moves one source's events from PostgreSQL to Kafka; its stages are the packages below. */
@NullMarked
package dev.tributary.relay;

import org.jspecify.annotations.NullMarked;

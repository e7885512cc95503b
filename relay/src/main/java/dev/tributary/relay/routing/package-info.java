/** Second stage: {@link dev.tributary.relay.routing.EventRouter} turns an event into the Kafka record it is on the wire. */
@NullMarked
package dev.tributary.relay.routing;

import org.jspecify.annotations.NullMarked;

/** Third stage: {@link dev.tributary.relay.sink.KafkaSink} sends records under the prefix rule and knows what Kafka holds already. */
@NullMarked
package dev.tributary.relay.sink;

import org.jspecify.annotations.NullMarked;

/** Last stage: {@link dev.tributary.relay.progress.InFlight} knows up to where everything is in Kafka. */
@NullMarked
package dev.tributary.relay.progress;

import org.jspecify.annotations.NullMarked;

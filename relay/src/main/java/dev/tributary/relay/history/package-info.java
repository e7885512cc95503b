/**
 * Whether a database still is the one that the events in Kafka came from: {@link dev.tributary.relay.history.Lineage}
 * compares the last progress mark with the server. Knows the source's database and the wire, and no other stage.
 */
@NullMarked
package dev.tributary.relay.history;

import org.jspecify.annotations.NullMarked;

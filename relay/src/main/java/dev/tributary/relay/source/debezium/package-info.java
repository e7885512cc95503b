/**
 * The other engine: {@link dev.tributary.relay.source.debezium.DebeziumSource} reads the same slot, publication and tables
 * through Debezium Embedded. None of it is loaded unless a source asks for it.
 */
@NullMarked
package dev.tributary.relay.source.debezium;

import org.jspecify.annotations.NullMarked;

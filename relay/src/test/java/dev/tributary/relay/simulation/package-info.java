/**
 * A world for the relay's real code to live in: {@link dev.tributary.relay.simulation.World} has a server, a Kafka, time and
 * bad luck, all from one seed and on one thread. Every call that the relay makes to the outside is a turn of the world,
 * in which others act, time passes and things break.
 */
@NullMarked
package dev.tributary.relay.simulation;

import org.jspecify.annotations.NullMarked;

/**
 * The whole flow in one command, with faults, and a verdict on what came of it.
 *
 * <p>{@link dev.tributary.samples.demo.Demo} tells the story. {@code Services} are the processes, {@code Traffic} what
 * customers do, {@code Faults} what goes wrong; {@code Evidence} reads databases and topics, {@code Verdict} and
 * {@code Latencies} judge what it found and nothing else.
 */
@NullMarked
package dev.tributary.samples.demo;

import org.jspecify.annotations.NullMarked;

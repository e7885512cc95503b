/**
 * Measures what the product's speed claims rest on, as ratios within one run on one machine; never part of a test.
 * {@link dev.tributary.samples.benchmarks.Benchmarks} is the program; {@code RelayBenchmark} compares the relay with
 * Debezium and with the limits, every contestant in a JVM of its own.
 */
@NullMarked
package dev.tributary.samples.benchmarks;

import org.jspecify.annotations.NullMarked;

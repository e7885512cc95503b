/** What Prometheus scrapes: {@link dev.tributary.relay.metrics.SourceMetrics} draws every figure from a source's status. */
@NullMarked
package dev.tributary.relay.metrics;

import org.jspecify.annotations.NullMarked;

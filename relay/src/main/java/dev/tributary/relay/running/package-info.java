/**
 * The sources of one process side by side: {@link dev.tributary.relay.running.RunningSources} gives each a thread of its
 * own and keeps their failures apart. Knows nothing of how their state is shown.
 */
@NullMarked
package dev.tributary.relay.running;

import org.jspecify.annotations.NullMarked;

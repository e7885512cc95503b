/** What flows between the stages: one event, who hears of it, and what can stop it. Imports no stage. */
@NullMarked
package dev.tributary.relay.flow;

import org.jspecify.annotations.NullMarked;

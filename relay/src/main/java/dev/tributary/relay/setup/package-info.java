/**
 * Everything before the first event: {@link dev.tributary.relay.setup.Preparation} creates what a database lacks
 * ({@code relay init}), {@link dev.tributary.relay.setup.Preflight} finds what would keep the relay from its work
 * ({@code relay check}). Uses the configuration and nothing else of the relay.
 */
@NullMarked
package dev.tributary.relay.setup;

import org.jspecify.annotations.NullMarked;

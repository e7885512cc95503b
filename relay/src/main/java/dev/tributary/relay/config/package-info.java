/**
 * What operators configure, validated and immutable. {@link dev.tributary.relay.config.ConfigFile} reads {@code
 * relay.yaml} and the environment into a {@link dev.tributary.relay.config.RelayConfig}, and reports every mistake at
 * once. Depends on nothing else in the relay.
 */
@NullMarked
package dev.tributary.relay.config;

import org.jspecify.annotations.NullMarked;

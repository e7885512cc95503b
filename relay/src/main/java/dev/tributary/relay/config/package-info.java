/** What operators configure, validated and immutable. */
@NullMarked
package dev.tributary.relay.config;

import org.jspecify.annotations.NullMarked;

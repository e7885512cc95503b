/**
 * What the running relay answers over HTTP: {@link dev.tributary.relay.http.HttpApi} serves health, metrics and {@code
 * /api/v1/sources}. Reads statuses, changes nothing.
 */
@NullMarked
package dev.tributary.relay.http;

import org.jspecify.annotations.NullMarked;

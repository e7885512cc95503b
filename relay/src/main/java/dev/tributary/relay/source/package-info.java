/** First stage: {@link dev.tributary.relay.source.ChangeSource} reads committed events from the database, in commit order. */
@NullMarked
package dev.tributary.relay.source;

import org.jspecify.annotations.NullMarked;

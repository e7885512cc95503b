/**
 * What a view includes, and how fresh it is: {@link dev.tributary.consumer.progress.ViewProgress} compares the relay's
 * progress marks with a subscription's positions, lets readers wait for a write, and says up to when the view is complete.
 * Its neighbours are {@code dev.tributary.consumer}, which it accompanies, and {@code dev.tributary.outbox.wire}.
 */
@NullMarked
package dev.tributary.consumer.progress;

import org.jspecify.annotations.NullMarked;

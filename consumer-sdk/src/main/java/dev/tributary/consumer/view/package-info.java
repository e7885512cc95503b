/**
 * Views that can be built anew beside themselves: a {@link dev.tributary.consumer.view.View} has versions, each with tables
 * in a schema of its own that a subscription of its own feeds, and readers have names that lead to the live one. {@link
 * dev.tributary.consumer.view.AsideBuild} is such tables without readers. Built on {@code dev.tributary.consumer}, which
 * does not know of it.
 */
@NullMarked
package dev.tributary.consumer.view;

import org.jspecify.annotations.NullMarked;

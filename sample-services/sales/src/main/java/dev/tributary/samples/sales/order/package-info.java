/** What was bought: taking orders, kept as their events, and learning from fulfilment that they shipped. */
@NullMarked
package dev.tributary.samples.sales.order;

import org.jspecify.annotations.NullMarked;

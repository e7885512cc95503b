/** What was bought: taking orders, and learning from fulfilment that they shipped. */
@NullMarked
package dev.tributary.samples.sales.order;

import org.jspecify.annotations.NullMarked;

/** Who buys: registration and renaming. Orders know a customer only by its id. */
@NullMarked
package dev.tributary.samples.sales.customer;

import org.jspecify.annotations.NullMarked;

/**
 * Row operations: a handler declares what shall become of rows, through {@link dev.tributary.consumer.rows.Rows}, and a
 * batch's operations are collapsed per key and sent as few statements as possible. Its neighbour is {@code
 * dev.tributary.consumer}, which runs the handlers and the transaction; nothing here knows events or Kafka.
 */
@NullMarked
package dev.tributary.consumer.rows;

import org.jspecify.annotations.NullMarked;

package dev.tributary.consumer.rows;

import org.jspecify.annotations.Nullable;

/**
 * A column and what an operation says of it.
 *
 * @param column its name as the handler wrote it
 * @param adds whether the value is to be added, instead of put in the old one's place
 */
record Cell(String column, @Nullable Object value, boolean adds) {}

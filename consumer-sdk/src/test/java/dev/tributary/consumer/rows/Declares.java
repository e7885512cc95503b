package dev.tributary.consumer.rows;

/** One event's handler. */
@FunctionalInterface
interface Declares {
    void on(Rows rows);
}

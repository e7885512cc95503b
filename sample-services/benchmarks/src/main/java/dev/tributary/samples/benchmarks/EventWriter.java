package dev.tributary.samples.benchmarks;

/** One way to write events in the transaction of a business row. Thread-safe. */
interface EventWriter extends AutoCloseable {
    /** Returns when it has committed. */
    void write(WriteJob job) throws Exception;

    @Override
    default void close() {}
}

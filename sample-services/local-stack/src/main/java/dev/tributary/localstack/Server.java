package dev.tributary.localstack;

/** A server that can fail on demand and comes back with its data at the same address. */
interface Server extends AutoCloseable {
    /** Of 127.0.0.1; the same for the whole life of the server. */
    int port();

    /** Returns once clients are served. Does nothing if it runs. */
    void start();

    /** Stops in an orderly way. Does nothing if it does not run. */
    void stop();

    /** Ends it without warning, and returns once it is gone. */
    void kill();

    /** Freezes it: connections stay open, nothing answers. */
    void pause();

    void resume();

    /** Ends it for good and deletes its data. */
    @Override
    void close();
}

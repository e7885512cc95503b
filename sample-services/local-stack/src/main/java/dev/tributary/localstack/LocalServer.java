package dev.tributary.localstack;

/**
 * A server on a free port of 127.0.0.1, which it keeps, that can fail on demand.
 *
 * <p>It ends with this JVM, however this JVM ends, and its data with it. Thread-safe.
 */
public abstract sealed class LocalServer implements AutoCloseable permits LocalKafka, LocalPostgres {
    private final Server server;

    LocalServer(Server server) {
        this.server = server;
    }

    /** Of 127.0.0.1. */
    public final int port() {
        return server.port();
    }

    /** Returns once clients are served; does nothing if it runs. Data and port are those from before. */
    public final void start() {
        server.start();
    }

    /** Stops it in an orderly way, ending all connections. */
    public final void stop() {
        server.stop();
    }

    /** {@link #stop}, then {@link #start}. */
    public final void restart() {
        stop();
        start();
    }

    /** Kills all its processes and returns once they are gone. {@link #start} then recovers as after a crash. */
    public final void kill() {
        server.kill();
    }

    /** Freezes all its processes: connections stay open, nothing answers. */
    public final void pause() {
        server.pause();
    }

    /** Goes on after {@link #pause}. */
    public final void resume() {
        server.resume();
    }

    /** Ends it for good and deletes its data. */
    @Override
    public final void close() {
        server.close();
    }
}

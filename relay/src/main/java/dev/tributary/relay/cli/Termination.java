package dev.tributary.relay.cli;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ExitCode;

/**
 * The wish to end, from a signal, at whatever moment. The JVM would report the signal as its exit code; an orderly end is no
 * failure, so the hook that sees it through also decides the code.
 */
final class Termination implements AutoCloseable {
    private static final Duration ORDERLY_END_MAX = Duration.ofSeconds(20);

    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean inOrder;

    private Termination() {}

    static Termination onSignal() {
        Termination termination = new Termination();
        Runtime.getRuntime().addShutdownHook(new Thread(termination::endInOrder, "relay-termination"));
        return termination;
    }

    /**
     * Returns when the process is to end.
     *
     * @throws RuntimeException what was said to have failed, if that came first
     */
    void await() throws InterruptedException {
        try {
            asked.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        }
    }

    /** The process cannot go on for this; no matter any more if it is to end. */
    void failed(Throwable cause) {
        asked.completeExceptionally(cause);
    }

    /** Says that all has ended as it should. */
    void endedInOrder() {
        inOrder = true;
    }

    /** Nothing is left to be seen through. */
    @Override
    public void close() {
        closed.countDown();
    }

    private void endInOrder() {
        asked.complete(null);
        try {
            if (!closed.await(ORDERLY_END_MAX.toSeconds(), TimeUnit.SECONDS)) {
                LoggerFactory.getLogger(Termination.class).warn("not everything has ended in time; leaving it");
                Runtime.getRuntime().halt(ExitCode.SOFTWARE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (inOrder) {
            Runtime.getRuntime().halt(ExitCode.OK);
        }
    }
}

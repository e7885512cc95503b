package dev.tributary.relay.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * The wish to end, from a signal. The JVM would report the signal as its exit code; an orderly end is no failure, so the
 * hook that sees it through also decides the code.
 */
final class Termination {
    private static final Duration ORDERLY_END_MAX = Duration.ofSeconds(20);

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile int exitCode = 1;

    private Termination() {}

    static Termination onSignal() {
        Termination termination = new Termination();
        Runtime.getRuntime().addShutdownHook(new Thread(termination::endInOrder, "relay-termination"));
        return termination;
    }

    /** Returns when the process is to end. */
    void await() throws InterruptedException {
        asked.await();
    }

    /** Says that everything has ended. */
    void ended(int withExitCode) {
        exitCode = withExitCode;
        ended.countDown();
    }

    private void endInOrder() {
        asked.countDown();
        try {
            if (!ended.await(ORDERLY_END_MAX.toSeconds(), TimeUnit.SECONDS)) {
                LoggerFactory.getLogger(Termination.class).warn("not everything has ended in time; leaving it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(exitCode);
    }
}

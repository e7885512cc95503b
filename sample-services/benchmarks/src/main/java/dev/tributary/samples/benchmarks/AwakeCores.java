package dev.tributary.samples.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps this machine's cores from being halted as long as it is open, by a busy process of the lowest priority for each. To
 * wake a core that was halted takes a virtual machine as long as a short statement, so that without this a round trip's time
 * tells above all whether client and server happened to share a core.
 *
 * <p>A shell waits for the end of its input, which comes when this is closed, or this JVM is gone, however it went.
 */
final class AwakeCores implements AutoCloseable {
    private static final String KEEP_AWAKE = """
            command -v nice > /dev/null || exit 1
            trap '' HUP INT TERM
            busy=
            cores=$1
            while [ "$cores" -gt 0 ]; do
              nice -n 19 sh -c 'while :; do :; done' < /dev/null > /dev/null 2>&1 &
              busy="$busy $!"
              cores=$((cores - 1))
            done
            echo awake
            read -r end
            kill -KILL $busy
            """;

    private static final int END_SECONDS_MAX = 10;

    private final @Nullable Process shell;

    private AwakeCores(@Nullable Process shell) {
        this.shell = shell;
    }

    /** Where it cannot be done, that is said, and measuring goes on without. */
    static AwakeCores keep() {
        int cores = Runtime.getRuntime().availableProcessors();
        try {
            Process shell = new ProcessBuilder("sh", "-c", KEEP_AWAKE, "awake-cores", Integer.toString(cores))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if ("awake".equals(shell.inputReader().readLine())) {
                return new AwakeCores(shell);
            }
        } catch (IOException e) {
            // no shell: Windows
        }
        System.err.println("cores may sleep between round trips, whose times then vary: there is no sh, or no nice");
        return new AwakeCores(null);
    }

    @Override
    public void close() {
        if (shell == null) {
            return;
        }
        try {
            shell.getOutputStream().close();
            if (!shell.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                throw new IllegalStateException("what keeps the cores awake does not end: process " + shell.pid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

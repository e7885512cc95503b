package dev.tributary.samples.demo;

import dev.tributary.samples.demo.Findings.Committed;
import java.io.PrintStream;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Ansi;

/** Tells what is going on: one line painted over and over on a terminal, else a line every other second. */
final class LiveDisplay implements AutoCloseable {
    private static final Duration RATE_OVER = Duration.ofSeconds(2);
    private static final String BACK_TO_START = "\r\033[K";

    private final PrintStream out;
    private final boolean terminal = Ansi.AUTO.enabled();
    private final long start = System.nanoTime();
    private @Nullable ScheduledExecutorService painter;

    LiveDisplay(PrintStream out) {
        this.out = out;
    }

    /** Prints a line that stays. */
    synchronized void say(String line) {
        out.println((terminal ? BACK_TO_START : "") + clock() + line);
    }

    /** Shows how far it is, until {@link #close}. */
    @SuppressWarnings("FutureReturnValueIgnored") // paint says itself what fails
    synchronized void follow(Evidence evidence) {
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        scheduler.scheduleWithFixedDelay(() -> paint(evidence), 500, terminal ? 500 : 2_000, TimeUnit.MILLISECONDS);
        painter = scheduler;
    }

    private void paint(Evidence evidence) {
        try {
            String line = describe(evidence.soFar());
            synchronized (this) {
                if (terminal) {
                    out.print(BACK_TO_START + clock() + line);
                    out.flush();
                } else {
                    out.println(clock() + line);
                }
            }
        } catch (SQLException | RuntimeException e) {
            say("The databases do not answer: " + e.getMessage());
        }
    }

    private static String describe(Findings findings) {
        long committed = findings.committed().size();
        long applied = findings.applied();
        Instant since = Instant.now().minus(RATE_OVER);
        double rate = findings.committed().stream()
                        .map(Committed::at)
                        .filter(since::isBefore)
                        .count()
                / (double) RATE_OVER.toSeconds();
        return String.format(
                Locale.ROOT,
                "%,6.0f events/s   committed %,7d   in support's view %,7d   lag %,6d   %s",
                rate,
                committed,
                applied,
                committed - applied,
                Latencies.ofAll(findings));
    }

    private String clock() {
        return String.format(
                Locale.ROOT, "%5.1f s  ", (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1));
    }

    /** Stops following, and leaves the terminal at the start of a line. */
    @Override
    public synchronized void close() {
        if (painter != null) {
            painter.shutdownNow();
            painter = null;
            if (terminal) {
                out.print(BACK_TO_START);
                out.flush();
            }
        }
    }
}

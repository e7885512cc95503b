package dev.tributary.relay.cli;

import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.HistoryReplay.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A replay's account: on a terminal a bar that is drawn over and over, elsewhere a line now and then. */
final class ProgressBar implements Account, AutoCloseable {
    private static final int WIDTH = 30;
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(10);

    private final PrintWriter out;
    private final boolean terminal;
    private long lineNanos = System.nanoTime();
    private int drawn;

    ProgressBar(PrintWriter out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    @Override
    public void say(String line) {
        close();
        out.println("  " + line);
        out.flush();
    }

    @Override
    public void progress(Progress progress) {
        if (terminal) {
            String text = bar(progress) + ' ' + words(progress);
            out.print("\r  " + text + " ".repeat(Math.max(0, drawn - text.length())));
            drawn = text.length();
        } else if (System.nanoTime() - lineNanos >= LINE_INTERVAL.toNanos()) {
            lineNanos = System.nanoTime();
            out.println("  " + words(progress));
        }
        out.flush();
    }

    private static String bar(Progress progress) {
        int filled = (int) (WIDTH * share(progress));
        return '[' + "#".repeat(filled) + "-".repeat(WIDTH - filled) + ']';
    }

    private static double share(Progress progress) {
        return progress.total() == 0 ? 1 : Math.min(1, (double) progress.done() / progress.total());
    }

    static String words(Progress progress) {
        return String.format(
                Locale.ROOT,
                "%3.0f %%, %,d of %,d events, %,.0f per second, %s left",
                Math.floor(share(progress) * 100),
                progress.done(),
                progress.total(),
                progress.perSecond(),
                time(progress.left()));
    }

    private static String time(@Nullable Duration left) {
        if (left == null) {
            return "unknown time";
        }
        long seconds = left.toSeconds();
        return seconds < 60
                ? seconds + " s"
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    /** Ends the line that the bar is on. */
    @Override
    public void close() {
        if (drawn > 0) {
            out.println();
            out.flush();
            drawn = 0;
        }
    }
}

package dev.tributary.relay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.replay.HistoryReplay.Progress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private final StringWriter out = new StringWriter();

    @Test
    void isDrawnOverAndOverOnATerminalAndLeavesItsLineBehind() {
        try (ProgressBar bar = new ProgressBar(new PrintWriter(out), true)) {
            bar.say("begins");
            bar.progress(new Progress(333_333, 1_000_000, 100_000, Duration.ofSeconds(3_725)));
            bar.progress(new Progress(1_000_000, 1_000_000, 100_000, Duration.ZERO));
            bar.say("done");
        }
        assertThat(out.toString())
                .startsWith("  begins\n\r  [#########---------------------]  33 %, 333,333 of 1,000,000 events,"
                        + " 100,000 per second, 1:02:05 left\r  [##############################] 100 %, 1,000,000 of")
                .endsWith("0 s left  \n  done\n");
    }

    @Test
    void isALineNowAndThenElsewhere() {
        try (ProgressBar bar = new ProgressBar(new PrintWriter(out), false)) {
            bar.progress(new Progress(0, 0, 0, null));
            bar.say("done");
        }
        assertThat(out.toString()).isEqualTo("  done\n");
    }

    @Test
    void knowsNoTimeWithoutARate() {
        assertThat(ProgressBar.words(new Progress(0, 10, 0, null)))
                .isEqualTo("  0 %, 0 of 10 events, 0 per second, unknown time left");
    }
}

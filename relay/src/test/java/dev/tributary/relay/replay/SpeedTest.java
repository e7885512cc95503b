package dev.tributary.relay.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.replay.HistoryReplay.Progress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SpeedTest {
    private static final long START = -5; // a clock of nanoseconds begins anywhere

    @Test
    void waitsAsLongAsItTakesToKeepTheRate() {
        Speed speed = new Speed(100, START, 0);
        assertThat(speed.pauseBefore(0, START)).isZero();
        assertThat(speed.pauseBefore(50, START)).isEqualTo(500_000_000);
        assertThat(speed.pauseBefore(50, START + 400_000_000)).isEqualTo(100_000_000);
        assertThat(speed.pauseBefore(50, START + 600_000_000)).isNegative();
        assertThat(new Speed(Long.MAX_VALUE, START, 0).pauseBefore(1L << 40, START))
                .isZero();
        // More than a long of nanoseconds could count
        assertThat(new Speed(1, START, 0).pauseBefore(20_000_000_000L, START)).isPositive();
    }

    @Test
    void tellsTheTimeLeftByTheRateOfTheLastSeconds() {
        Speed speed = new Speed(Long.MAX_VALUE, START, 1_000);
        assertThat(speed.progress(1_000, 5_000, START).left()).isNull();
        Progress later = speed.progress(2_000, 5_000, START + TimeUnit.SECONDS.toNanos(2));
        assertThat(later.perSecond()).isEqualTo(500);
        assertThat(later.left()).isEqualTo(Duration.ofSeconds(6));
        speed.progress(2_000, 5_000, START + TimeUnit.SECONDS.toNanos(20));
        Progress faster = speed.progress(4_000, 5_000, START + TimeUnit.SECONDS.toNanos(25));
        assertThat(faster.perSecond()).isEqualTo(400);
        assertThat(speed.progress(5_000, 5_000, START + TimeUnit.SECONDS.toNanos(26))
                        .left())
                .isEqualTo(Duration.ZERO);
    }
}

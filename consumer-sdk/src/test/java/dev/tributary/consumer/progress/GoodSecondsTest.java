package dev.tributary.consumer.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GoodSecondsTest {
    private static final long MINUTE = 1_000;
    private static final Instant START = Instant.ofEpochSecond(MINUTE * 60 - 1);
    private final GoodSeconds seconds = new GoodSeconds(Duration.ofSeconds(2), START);

    @Test
    void aViewThatKeepsUpIsGoodAllTheTime() {
        samples(-0.75, 121, 0.3);
        assertThat(seconds.before(MINUTE + 2)).isEqualTo(Map.of(MINUTE, GoodSeconds.ALL, MINUTE + 1, GoodSeconds.ALL));
    }

    @Test
    void whatIsOlderThanTheLimitIsBad() {
        samples(-0.75, 10, 0.3);
        samples(10, 20, 2.1);
        samples(20, 60, 0.3);
        // At 9.75 it was complete up to 9.45, which holds until 11.45; the first sample that says otherwise is the one
        // at 10
        assertThat(good(MINUTE)).isEqualTo(GoodSeconds.ALL & ~mask(11, 20));
    }

    @Test
    void nobodyNeedsToLookWhileWhatIsKnownHolds() {
        seconds.sample(at(0), at(-0.2));
        seconds.sample(at(1.7), at(1.5)); // one second was not looked at
        seconds.sample(at(3.4), at(3.2));
        seconds.sample(at(5), at(4.9));
        assertThat(good(MINUTE)).isEqualTo(mask(1, 5));
    }

    @Test
    void catchingUpDoesNotMakeTheTimeBeforeGood() {
        seconds.sample(at(0), at(-0.2));
        seconds.sample(at(10), at(9.9));
        seconds.sample(at(11), at(10.9));
        assertThat(good(MINUTE)).isEqualTo(mask(1, 1) | mask(11, 11));
    }

    @Test
    void theUnknownIsNotGood() {
        seconds.sample(at(0), null);
        seconds.sample(at(5), at(4.5));
        seconds.sample(at(6), null);
        seconds.sample(at(7), at(6.5));
        assertThat(good(MINUTE)).isEqualTo(mask(6, 6));
    }

    @Test
    void aFrozenProcessNotesAsMuchAsIsKept() {
        seconds.sample(at(0), at(0));
        seconds.sample(at(1_000_000), at(1_000_000));
        assertThat(seconds.before(Long.MAX_VALUE).size()).isBetween(100, 121);
    }

    @Test
    void whatIsRecordedIsForgotten() {
        samples(0, 121, 0.3);
        seconds.recordedBefore(MINUTE + 1);
        assertThat(seconds.before(MINUTE + 2)).containsOnlyKeys(MINUTE + 1);
    }

    /** Four times a second, complete up to {@code age} seconds ago. */
    private void samples(double from, double to, double age) {
        for (double second = from; second < to; second += 0.25) {
            seconds.sample(at(second), at(second - age));
        }
    }

    private long good(long minute) {
        return seconds.before(Long.MAX_VALUE).get(minute);
    }

    private static Instant at(double second) {
        return Instant.ofEpochMilli(MINUTE * 60_000 + Math.round(second * 1_000));
    }

    private static long mask(int first, int last) {
        long mask = 0;
        for (int second = first; second <= last; second++) {
            mask |= 1L << second;
        }
        return mask;
    }
}

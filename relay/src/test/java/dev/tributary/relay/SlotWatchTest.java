package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.config.SlotLimits;
import dev.tributary.relay.source.SourceDatabase.Ended;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import dev.tributary.relay.source.SourceDatabase.SlotWal;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SlotWatchTest {
    private static final SlotLimits TEN_MINUTES = new SlotLimits(null, Duration.ofMinutes(10));
    private SlotWatch watch = new SlotWatch(TEN_MINUTES);

    @Test
    void withoutALimitThereIsNoTimeLeftToSpeakOf() {
        look(0, 0, 0, null);
        SlotHealth health = look(60, 60_000, 60_000, null);
        assertThat(health.walBytesPerSecond()).isEqualTo(1_000);
        assertThat(health.timeLeft()).isNull();
        assertThat(health.danger()).isEmpty();
    }

    @Test
    void theTimeLeftIsWhatMayBeWrittenByHowFastItIsWritten() {
        assertThat(look(0, 0, 0, 1_000_000L).timeLeft()).as("no rate yet").isNull();
        SlotHealth health = look(10, 10_000, 10_000, 990_000L);
        assertThat(health.timeLeft()).isEqualTo(Duration.ofSeconds(990));
        assertThat(health.danger()).isEmpty();
    }

    @Test
    void onlyTheLastMinuteCounts() {
        look(0, 0, 0, 1_000_000L);
        for (int i = 1; i <= 100; i++) {
            look(i, 1_000_000, 0, 1_000_000L);
        }
        SlotHealth quiet = look(101, 1_000_000, 0, 1_000_000L);
        assertThat(quiet.walBytesPerSecond()).isZero();
        assertThat(quiet.timeLeft()).isNull();
    }

    @Test
    void dangerIsLittleTimeWhereMoreIsKeptThanMayStillBeWritten() {
        look(0, 0, 0, 1_000_000L);
        assertThat(look(10, 10_000, 100_000, 500_000L).danger())
                .as("busy, but released as it goes")
                .isEmpty();
        assertThat(look(20, 20_000, 600_000, 400_000L).danger()).contains("in 400 s");
    }

    @Test
    void theConfiguredLimitStandsInForTheServers() {
        watch = new SlotWatch(new SlotLimits(100_000L, Duration.ofMinutes(10)));
        look(0, 0, 0, null);
        SlotHealth health = look(10, 10_000, 80_000, null);
        assertThat(health.bytesMax()).isEqualTo(100_000);
        assertThat(health.timeLeft()).isEqualTo(Duration.ofSeconds(20));
        assertThat(health.danger()).isNotEmpty();
        assertThat(look(11, 11_000, 120_000, null).timeLeft()).isZero();
    }

    @Test
    void aSlotThatIsLostOrAboutToBeIsADangerWhateverTheRate() {
        assertThat(watch.look(pulse(0, new SlotWal("unreserved", 1, null, null)), 0)
                        .danger())
                .contains("unreserved");
        assertThat(watch.look(pulse(0, new SlotWal("lost", 0, null, null)), 0).danger())
                .contains("lost");
        assertThat(watch.look(pulse(0, new SlotWal(null, 0, null, null)), 0).danger())
                .contains("no slot");
        assertThat(watch.look(pulse(0, new SlotWal("extended", 0, null, null)), 0)
                        .danger())
                .isEmpty();
    }

    private SlotHealth look(int second, long walEnd, long retained, @Nullable Long safe) {
        return watch.look(
                pulse(walEnd, new SlotWal("reserved", retained, safe, null)), TimeUnit.SECONDS.toNanos(second));
    }

    private static Pulse pulse(long walEnd, SlotWal slot) {
        return new Pulse(Instant.EPOCH, walEnd, new Ended(1, walEnd), slot, null);
    }
}

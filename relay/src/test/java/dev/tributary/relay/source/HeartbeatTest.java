package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.SourceDatabase.Ended;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import dev.tributary.relay.source.SourceDatabase.SlotWal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HeartbeatTest {
    private final Heartbeat heartbeat = new Heartbeat();

    @Test
    void whatWasSentAndNeverArrivesMeansThatTheStreamIsDead() {
        assertThatThrownBy(() -> check(20, 500L, 100, true))
                .isInstanceOf(RelayException.class)
                .hasMessageContaining("dead");
    }

    @Test
    void aQuietServerIsNoDeadStream() {
        assertThatCode(() -> check(20, 100L, 100, true)).doesNotThrowAnyException();
    }

    @Test
    void whoDoesNotReadCannotComplain() {
        assertThatCode(() -> check(20, 500L, 100, false)).doesNotThrowAnyException();
    }

    @Test
    void aServerThatDoesNotTellIsBelieved() {
        assertThatCode(() -> check(20, null, 100, true)).doesNotThrowAnyException();
    }

    private static Pulse pulse(@Nullable Long sentLsn) {
        return new Pulse(Instant.EPOCH, 1_000, new Ended(1, 1_000), new SlotWal("reserved", 0, null, null), sentLsn);
    }

    private void check(int times, @Nullable Long sentLsn, long arrived, boolean reading) {
        for (int i = 0; i < times; i++) {
            heartbeat.check(pulse(sentLsn), arrived, reading);
        }
    }
}

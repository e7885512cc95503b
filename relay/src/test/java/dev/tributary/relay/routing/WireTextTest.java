package dev.tributary.relay.routing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.outbox.wire.Position;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The texts are those of {@code toString}, whatever the value. */
class WireTextTest {
    private final Random random = new Random(7);
    private final WireText wire = new WireText();

    @Test
    void ids() {
        for (int i = 0; i < 1_000; i++) {
            UUID id = new UUID(random.nextLong(), random.nextLong());
            assertThat(new String(WireText.uuid(id), US_ASCII)).isEqualTo(id.toString());
        }
    }

    @Test
    void positions() {
        for (int i = 0; i < 1_000; i++) {
            Position position = new Position(random.nextInt(), random.nextLong(), random.nextInt());
            assertThat(new String(WireText.position(position), US_ASCII)).isEqualTo(position.toString());
        }
    }

    @Test
    void times() {
        long[] seconds = {0, -1, 1, 1_767_225_599, 1_767_225_600, -62_135_596_801L, 253_402_300_800L};
        int[] nanos = {0, 1_000, 999_999_000, 120_000_000, 1_000_000, 1, 123_456_789};
        for (long second : seconds) {
            for (int nano : nanos) {
                Instant time = Instant.ofEpochSecond(second, nano);
                assertThat(new String(wire.time(time), US_ASCII)).isEqualTo(time.toString());
            }
        }
    }
}

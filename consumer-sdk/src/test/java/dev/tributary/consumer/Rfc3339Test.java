package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Rfc3339Test {
    private static final long SEED = new Random().nextLong();

    @Test
    void readsWhatTheJdkReads() {
        Random random = new Random(SEED);
        Instant from = Instant.parse("0000-01-01T00:00:00Z");
        long seconds = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond() - from.getEpochSecond();
        for (int i = 0; i < 20_000; i++) {
            int unit = (int) Math.pow(10, random.nextInt(10));
            Instant time = from.plusSeconds((long) (random.nextDouble() * seconds))
                    .plusNanos(random.nextInt(1_000_000_000) / unit * (long) unit);
            ZoneOffset offset =
                    random.nextInt(4) > 0 ? ZoneOffset.UTC : ZoneOffset.ofTotalSeconds(random.nextInt(3600));
            assertThat(Rfc3339.parse(time.toString())).as("seed %s", SEED).isEqualTo(time);
            assertThat(Rfc3339.parse(time.atOffset(offset).toString()))
                    .as("seed %s", SEED)
                    .isEqualTo(time);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2024-02-29T00:00:00Z",
                "2024-12-31T23:59:59.000000001Z",
                "2024-06-01T10:00Z",
                "2024-06-01t10:00:00z",
                "2024-06-01T10:00:00.5+02:00",
                "+12024-06-01T10:00:00Z"
            })
    void readsTheUnusualAsTheJdkDoes(String text) {
        assertThat(Rfc3339.parse(text)).isEqualTo(OffsetDateTime.parse(text).toInstant());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2023-02-29T00:00:00Z",
                "2024-00-01T00:00:00Z",
                "2024-13-01T00:00:00Z",
                "2024-01-00T00:00:00Z",
                "2024-01-01T24:00:01Z",
                "2024-01-01T00:60:00Z",
                "2024-01-01T00:00:61Z",
                "2024-01-01T00:00:00",
                "2024-01-01T00:00:0xZ",
                "2024-01-01 00:00:00Z",
                "2024-01-01T00:00:00.1234567890Z",
                "2024-01-01T00:00:00.12/Z",
                "-024-01-01T00:00:00Z"
            })
    void refusesWhatIsNoTime(String text) {
        assertThatThrownBy(() -> Rfc3339.parse(text)).isInstanceOf(DateTimeParseException.class);
    }
}

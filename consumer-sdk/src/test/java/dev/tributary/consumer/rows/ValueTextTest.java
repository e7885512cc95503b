package dev.tributary.consumer.rows;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ValueTextTest {
    private static final ColumnType TEXT = ColumnType.of("text", -1, true);
    private static final long SEED = new Random().nextLong();

    @Test
    void timesHaveTheTextThatTheJdkGivesThem() {
        Random random = new Random(SEED);
        Stream<Instant> usual = Stream.generate(() -> Instant.ofEpochSecond(
                        (long) (random.nextDouble() * 4e11) - 100_000_000_000L,
                        random.nextInt(1_000) * (long) Math.pow(10, random.nextInt(7))))
                .limit(20_000);
        Stream<Instant> odd = Stream.of(
                        "0000-12-31T23:59:59Z",
                        "0001-01-01T00:00:01Z",
                        "1969-12-31T23:59:00.5Z",
                        "2024-02-29T10:11:00Z",
                        "2024-02-29T00:00:00Z",
                        "9999-12-31T23:59:59.999999999Z",
                        "+10000-01-01T00:00:01Z")
                .map(Instant::parse);
        Stream.concat(Stream.concat(usual, odd), Stream.of(Instant.MIN, Instant.MAX))
                .forEach(time ->
                        assertThat(ValueText.of(TEXT, time)).as("seed %s", SEED).isEqualTo(time.toString()));
        Instant time = Instant.parse("2024-02-29T10:11:12.5Z");
        assertThat(ValueText.of(TEXT, time.atOffset(ZoneOffset.ofHours(3)))).isEqualTo(time.toString());
    }
}

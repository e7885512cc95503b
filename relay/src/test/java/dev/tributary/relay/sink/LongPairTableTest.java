package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.JavaProcess;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LongPairTableTest {
    private final Random random = new Random(1);

    @Test
    void holdsWhatWasAddedAndNothingElse() {
        LongPairTable ids = LongPairTable.ofKeys();
        Set<UUID> expected = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            UUID id = i % 3 == 0 ? new UUID(0, i) : i % 3 == 1 ? new UUID(i, 0) : any();
            add(ids, id);
            add(ids, id);
            expected.add(id);
        }
        assertThat(ids.size()).isEqualTo(expected.size());
        assertThat(expected).allMatch(id -> contains(ids, id));
        for (int i = 0; i < 100_000; i++) {
            UUID id = any();
            assertThat(contains(ids, id)).isEqualTo(expected.contains(id));
        }
        assertThat(contains(LongPairTable.ofKeys(), new UUID(0, 0))).isFalse();
    }

    @Test
    void numbersAreFoundByTheirKeysTheLastOfEach() {
        LongPairTable numbers = LongPairTable.ofNumbers();
        Map<UUID, Long> expected = new HashMap<>();
        for (int i = 0; i < 100_000; i++) {
            UUID key = new UUID(i % 300, i % 700);
            numbers.put(key.getMostSignificantBits(), key.getLeastSignificantBits(), i + 1);
            expected.put(key, i + 1L);
        }
        expected.forEach(
                (key, number) -> assertThat(numbers.get(key.getMostSignificantBits(), key.getLeastSignificantBits()))
                        .isEqualTo(number));
        assertThat(numbers.get(300, 0)).isZero();
        assertThat(numbers.size()).isEqualTo(expected.size());
    }

    /** As a recovery holds them, in a heap of which they are most. */
    @Test
    void aMillionIdsAndSequencesFitIntoASmallHeap() {
        try (JavaProcess process = JavaProcess.main(AMillion.class)
                .jvmArgs("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .outputHere()
                .start()) {
            assertThat(process.waitFor(Duration.ofMinutes(2))).isTrue();
            assertThat(process.exitCode()).isZero();
        }
    }

    /** Fills them. */
    static final class AMillion {
        private static final int MANY = 1_000_000;

        /** Without arguments. */
        public static void main(String[] args) {
            LongPairTable ids = LongPairTable.ofKeys();
            LongPairTable sequences = LongPairTable.ofNumbers();
            Random random = new Random(1);
            for (int i = 0; i < MANY; i++) {
                long high = random.nextLong();
                ids.add(high, i);
                sequences.put(i, high, 1);
            }
            if (ids.size() != MANY || sequences.size() != MANY) {
                throw new IllegalStateException("lost some");
            }
        }
    }

    private static void add(LongPairTable ids, UUID id) {
        ids.add(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    private static boolean contains(LongPairTable ids, UUID id) {
        return ids.contains(id.getMostSignificantBits(), id.getLeastSignificantBits());
    }

    private UUID any() {
        return new UUID(random.nextLong(), random.nextLong());
    }
}

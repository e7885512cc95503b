package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IdSetTest {
    private final Random random = new Random(1);

    @Test
    void holdsWhatWasAddedAndNothingElse() {
        IdSet ids = new IdSet();
        Set<UUID> expected = new HashSet<>();
        for (int i = 0; i < 100_000; i++) {
            UUID id = i % 3 == 0 ? new UUID(0, i) : i % 3 == 1 ? new UUID(i, 0) : any();
            ids.add(id);
            ids.add(id);
            expected.add(id);
        }
        assertThat(ids.size()).isEqualTo(expected.size());
        assertThat(expected).allMatch(ids::contains);
        for (int i = 0; i < 100_000; i++) {
            UUID id = any();
            assertThat(ids.contains(id)).isEqualTo(expected.contains(id));
        }
        assertThat(new IdSet().contains(new UUID(0, 0))).isFalse();
    }

    @Test
    void numbersAreFoundByTheirKeysTheLastOfEach() {
        LongPairMap numbers = new LongPairMap();
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
    }

    private UUID any() {
        return new UUID(random.nextLong(), random.nextLong());
    }
}

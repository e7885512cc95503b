package dev.tributary.outbox.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.outbox.wire.ProgressMark.History;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ProgressMarkTest {
    private static final History FIRST = new History("7554321098765432109", 1, 4_711_000_000L);
    private static final History PROMOTED = new History(FIRST.systemId(), 2, 0);

    @Test
    void readsWhatItWrites() throws IOException {
        ProgressMark mark = mark(1, -5, FIRST);
        assertThat(ProgressMark.fromJson(mark.toJson())).isEqualTo(mark);
        assertThat(ProgressMark.fromJson(mark(1, 5, null).toJson())).isEqualTo(mark(1, 5, null));
        ProgressMark whole =
                new ProgressMark("sales", 1, 5, 7, Map.of(), FIRST, 3L, new ProgressMark.Publication("1 2", 3, 4));
        assertThat(ProgressMark.fromJson(whole.toJson())).isEqualTo(whole);
    }

    @Test
    void understandsMarksWithoutHistoryAndWithMoreThanItKnows() throws IOException {
        String old = "{\"source\":\"sales\",\"epoch\":1,\"lsn\":5,\"timeMillis\":7,\"offsets\":{\"t\":{\"0\":3}}";
        assertThat(ProgressMark.fromJson((old + "}").getBytes(UTF_8))).isEqualTo(mark(1, 5, null));
        assertThat(ProgressMark.fromJson((old + ",\"later\":{}}").getBytes(UTF_8)))
                .isEqualTo(mark(1, 5, null));
    }

    @Test
    void saysMoreByEpochThenByTimelineThenByLsn() {
        assertThat(mark(2, 1, null).isAfter(mark(1, 9, FIRST))).isTrue();
        assertThat(mark(1, 9, FIRST).isAfter(mark(2, 1, null))).isFalse();
        assertThat(mark(1, 5, PROMOTED).isAfter(mark(1, 9, FIRST))).isTrue();
        assertThat(mark(1, 9, FIRST).isAfter(mark(1, 5, PROMOTED))).isFalse();
        assertThat(mark(1, 5, FIRST).isAfter(mark(1, 9, null))).isTrue();
        assertThat(mark(1, -1, FIRST).isAfter(mark(1, 1, FIRST))).isTrue();
        assertThat(mark(1, 5, FIRST).isAfter(mark(1, 5, FIRST))).isFalse();
    }

    private static ProgressMark mark(int epoch, long lsn, @Nullable History history) {
        return new ProgressMark("sales", epoch, lsn, 7, Map.of("t", Map.of(0, 3L)), history);
    }
}

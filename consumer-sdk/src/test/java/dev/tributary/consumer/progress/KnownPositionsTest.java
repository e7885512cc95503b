package dev.tributary.consumer.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.PartitionStatus.State;
import dev.tributary.consumer.SubscriptionStatus.Counters;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class KnownPositionsTest {
    private static final TopicPartition MINE = new TopicPartition("t", 0);
    private static final TopicPartition THEIRS = new TopicPartition("t", 1);
    private final KnownPositions positions = new KnownPositions();

    @Test
    void ownPositionsCountAtOnceAndOthersAsTheDatabaseHasThem() {
        positions.own(List.of(own(State.RUNNING, 10)));
        assertThat(positions.owns(Set.of(MINE))).isTrue();
        assertThat(positions.owns(Set.of(MINE, THEIRS))).isFalse();
        assertThat(positions.stored(Map.of(MINE, 9L, THEIRS, 4L))).isFalse();
        assertThat(positions.offsets()).isEqualTo(Map.of(MINE, 10L, THEIRS, 4L));
    }

    @Test
    void aPartitionThatIsGivenAwayStaysWhereItWas() {
        positions.own(List.of(own(State.RUNNING, 10)));
        positions.own(List.of());
        assertThat(positions.owns(Set.of(MINE))).isFalse();
        assertThat(positions.offsets()).isEqualTo(Map.of(MINE, 10L));
    }

    @Test
    void aPartitionThatIsNotAtWorkIsNotOwnWork() {
        positions.own(List.of(own(State.STOPPED, 10)));
        assertThat(positions.owns(Set.of(MINE))).isFalse();
        assertThat(positions.offsets()).isEmpty();
    }

    @Test
    void oneLookThatWasTakenBeforeACommitTakesNothingBack() {
        positions.own(List.of(own(State.RUNNING, 10)));
        assertThat(positions.stored(Map.of(MINE, 9L))).isFalse();
        assertThat(positions.isInDoubt()).isTrue();
        assertThat(positions.stored(Map.of(MINE, 10L))).isFalse();
        assertThat(positions.isInDoubt()).isFalse();
        assertThat(positions.stored(Map.of(MINE, 9L))).isFalse();
    }

    @Test
    void whatTheDatabaseSaysTwiceHasGoneBack() {
        positions.stored(Map.of(MINE, 10L, THEIRS, 4L));
        assertThat(positions.stored(Map.of(MINE, 3L, THEIRS, 4L))).isFalse();
        assertThat(positions.stored(Map.of(MINE, 3L, THEIRS, 4L))).isTrue();
        assertThat(positions.offsets()).isEqualTo(Map.of(MINE, 3L, THEIRS, 4L));
    }

    @Test
    void aRowThatIsGoneHasGoneBackToo() {
        positions.stored(Map.of(MINE, 10L));
        positions.stored(Map.of());
        assertThat(positions.stored(Map.of())).isTrue();
        assertThat(positions.offsets()).isEmpty();
    }

    @Test
    void whatThisInstanceFindsAndTheDatabaseConfirmsHasGoneBack() {
        positions.own(List.of(own(State.RUNNING, 10)));
        positions.own(List.of(own(State.RUNNING, 2)));
        assertThat(positions.isInDoubt()).isTrue();
        assertThat(positions.offsets()).isEqualTo(Map.of(MINE, 10L));
        assertThat(positions.stored(Map.of(MINE, 2L))).isTrue();
        assertThat(positions.offsets()).isEqualTo(Map.of(MINE, 2L));
    }

    private static PartitionStatus own(State state, long nextOffset) {
        return new PartitionStatus(
                "t",
                0,
                state,
                Instant.EPOCH,
                "",
                "",
                nextOffset,
                Map.of(),
                null,
                new Counters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    }
}

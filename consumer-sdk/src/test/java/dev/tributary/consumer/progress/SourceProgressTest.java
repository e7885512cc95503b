package dev.tributary.consumer.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.progress.Inclusion.Outcome;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ReadToken;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class SourceProgressTest {
    private static final String CLUSTER = "74";
    private final SourceProgress progress = new SourceProgress("sales", Set.of("orders", "customers"));

    @Test
    void aWriteIsIncludedOnceEveryPartitionHasReachedAMarkThatCoversIt() {
        progress.heard(mark(99, 1_000, Map.of("orders", Map.of(0, 3L, 1, 2L), "customers", Map.of(0, 1L))));
        progress.at(at("orders", 0, 9, "orders", 1, 9, "customers", 0, 9));
        assertThat(judge(100)).as("no mark covers it").isEqualTo(Outcome.NOT_YET);
        progress.heard(mark(100, 2_000, Map.of("orders", Map.of(0, 12L, 1, 9L), "customers", Map.of(0, 10L))));
        progress.at(at("orders", 0, 12, "orders", 1, 9, "customers", 0, 9));
        assertThat(judge(100)).as("customers-0 lacks one").isEqualTo(Outcome.NOT_YET);
        assertThat(describe(100).eventsBehind()).isEqualTo(1);
        assertThat(progress.at(at("orders", 0, 12, "orders", 1, 9, "customers", 0, 10)))
                .isTrue();
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
        assertThat(judge(101)).isEqualTo(Outcome.NOT_YET);
        assertThat(progress.completeUpTo()).isEqualTo(Instant.ofEpochMilli(2_000));
    }

    @Test
    void topicsThatTheSubscriptionDoesNotReadDoNotHoldItUp() {
        progress.heard(mark(100, 1, Map.of("payments", Map.of(0, 12L))));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void whatIsReadFromNowOnIsWhatHasToBeReached() {
        progress.heard(mark(100, 1, Map.of("orders", Map.of(0, 5L), "payments", Map.of(0, 12L))));
        progress.at(at("orders", 0, 5));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
        progress.reads(Set.of("orders", "payments"));
        assertThat(judge(100)).isEqualTo(Outcome.NOT_YET);
        assertThat(describe(100).eventsBehind()).isEqualTo(12);
        assertThat(progress.completeUpTo()).isNull();
        progress.at(at("orders", 0, 5, "payments", 0, 12));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
        progress.reads(Set.of("orders"));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void howFarBehindIsByTheSourcesClockAndInRecords() {
        progress.heard(mark(50, 10_000, offsets(10)));
        progress.at(at("orders", 0, 10));
        progress.heard(mark(200, 14_000, offsets(35)));
        Inclusion inclusion = progress.describe(write(1, 200, 14_500), 1, false);
        assertThat(inclusion.outcome()).isEqualTo(Outcome.NOT_YET);
        assertThat(inclusion.behind()).isEqualTo(Duration.ofMillis(4_500));
        assertThat(inclusion.eventsBehind()).isEqualTo(25);
        assertThat(inclusion.reason()).contains("has yet to apply");
        assertThat(progress.describe(write(1, 201, 14_500), 1, false).reason())
                .contains("relay of source sales")
                .contains("1970-01-01T00:00:14Z");
    }

    @Test
    void idleMarksMoveTheTimeAndPileUpNothing() {
        progress.heard(mark(100, 1, offsets(5)));
        for (int second = 2; second < 2_000; second++) {
            progress.heard(mark(100, second, offsets(5)));
        }
        progress.at(at("orders", 0, 5));
        assertThat(progress.completeUpTo()).isEqualTo(Instant.ofEpochMilli(1_999));
    }

    @Test
    void marksLeftOutMakeTheAnswerLaterAndNeverWrong() {
        Random random = new Random(7);
        for (int i = 1; i <= 5_000; i++) {
            progress.heard(mark(i, i, offsets(i)));
        }
        for (long position = 1; position <= 5_000; position += random.nextInt(100)) {
            progress.at(at("orders", 0, position));
            assertThat(judge(position + 1)).isEqualTo(Outcome.NOT_YET);
        }
        progress.at(at("orders", 0, 5_000));
        assertThat(judge(5_000)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void anOldRelaysMarkAmongNewerOnesChangesNothing() {
        progress.heard(mark(100, 2_000, offsets(5)));
        progress.heard(mark(90, 3_000, offsets(4)));
        progress.at(at("orders", 0, 4));
        assertThat(judge(90)).isEqualTo(Outcome.NOT_YET);
        progress.at(at("orders", 0, 5));
        assertThat(progress.completeUpTo()).isEqualTo(Instant.ofEpochMilli(2_000));
    }

    @Test
    void afterAFailoverAnOldTokenIsIncludedIfItWasAndUnknownOtherwise() {
        progress.heard(mark(100, 1, offsets(5)));
        progress.at(at("orders", 0, 5));
        progress.heard(mark(1, 2, 80, 2, offsets(9)));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
        assertThat(judge(101)).isEqualTo(Outcome.HISTORY_CHANGED);
        assertThat(describe(101).reason()).contains("timeline 2", "timeline 1");
        assertThat(progress.judge(write(2, 80, 1), 1)).as("not reached yet").isEqualTo(Outcome.NOT_YET);
        progress.at(at("orders", 0, 9));
        assertThat(progress.judge(write(2, 80, 1), 1)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void aMarkOfTheOldPrimaryThatIsStillAheadIsWaitedFor() {
        progress.heard(mark(100, 1, offsets(5)));
        progress.heard(mark(1, 2, 80, 2, offsets(9)));
        assertThat(judge(100)).isEqualTo(Outcome.NOT_YET);
        progress.at(at("orders", 0, 5));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void aTokenOfTheNewPrimaryWaitsForTheRelayToFollow() {
        progress.heard(mark(100, 1, offsets(0)));
        assertThat(progress.judge(write(2, 90, 1), 1)).isEqualTo(Outcome.NOT_YET);
    }

    @Test
    void anotherClustersTokenCannotBeTold() {
        progress.heard(mark(100, 1, offsets(0)));
        ReadToken.Write other = new ReadToken.Write("sales", "75", 1, 90, 1);
        assertThat(progress.judge(other, 1)).isEqualTo(Outcome.HISTORY_CHANGED);
    }

    @Test
    void aNewEpochTellsThoseWhoWaitedThatPlacesAreGivenOutOnceMore() {
        progress.heard(mark(100, 1, offsets(0)));
        progress.heard(mark(2, 1, 500, 2, offsets(0)));
        assertThat(progress.judge(write(1, 200, 1), 1)).isEqualTo(Outcome.HISTORY_CHANGED);
        assertThat(progress.judge(write(1, 200, 1), 2)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void aViewThatWentBackHasToReachAgainWhatItHadReached() {
        progress.heard(mark(100, 1, offsets(5)));
        progress.at(at("orders", 0, 5));
        progress.wentBack(at("orders", 0, 2));
        assertThat(judge(100)).isEqualTo(Outcome.NOT_YET);
        assertThat(progress.completeUpTo()).isNull();
        progress.at(at("orders", 0, 5));
        assertThat(judge(100)).isEqualTo(Outcome.INCLUDED);
    }

    @Test
    void beforeTheFirstMarkNothingIsKnown() {
        assertThat(describe(1))
                .isEqualTo(new Inclusion(
                        Outcome.NOT_YET, null, 0, false, describe(1).reason()));
        assertThat(describe(1).reason()).contains("see whether its relay runs");
    }

    private Outcome judge(long lsn) {
        return progress.judge(write(1, lsn, 0), 1);
    }

    private Inclusion describe(long lsn) {
        return progress.describe(write(1, lsn, 0), 1, false);
    }

    private static ReadToken.Write write(int timeline, long lsn, long timeMillis) {
        return new ReadToken.Write("sales", CLUSTER, timeline, lsn, timeMillis);
    }

    private static ProgressMark mark(long lsn, long timeMillis, Map<String, Map<Integer, Long>> offsets) {
        return mark(1, 1, lsn, timeMillis, offsets);
    }

    private static ProgressMark mark(
            int epoch, int timeline, long lsn, long timeMillis, Map<String, Map<Integer, Long>> offsets) {
        return new ProgressMark(
                "sales", epoch, lsn, timeMillis, offsets, new ProgressMark.History(CLUSTER, timeline, 0));
    }

    private static Map<String, Map<Integer, Long>> offsets(long orders) {
        return Map.of("orders", Map.of(0, orders));
    }

    private static Map<TopicPartition, Long> at(Object... topicPartitionOffset) {
        Map<TopicPartition, Long> at = new HashMap<>();
        for (int i = 0; i < topicPartitionOffset.length; i += 3) {
            at.put(
                    new TopicPartition((String) topicPartitionOffset[i], (int) topicPartitionOffset[i + 1]),
                    ((Number) topicPartitionOffset[i + 2]).longValue());
        }
        return at;
    }
}

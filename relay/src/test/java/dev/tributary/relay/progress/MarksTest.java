package dev.tributary.relay.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.flow.Delivery;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MarksTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private final Marks marks = new Marks(100, null, 0, 0);

    @Test
    void theDatabaseIsToldOnlyWhatAMarkInKafkaSays() {
        Delivery delivery = marks.sending(200, 0);
        assertThat(marks.markedLsn()).isEqualTo(100);
        delivery.acknowledged();
        assertThat(marks.markedLsn()).isEqualTo(200);
    }

    @Test
    void aMarkIsDueAtOnceWhenDrainedAndFiveTimesASecondUnderLoad() {
        marks.sending(200, 0);
        assertThat(marks.isDue(200, true, millis(5_000))).isFalse();
        assertThat(marks.isDue(300, true, millis(49))).isFalse();
        assertThat(marks.isDue(300, true, millis(50))).isTrue();
        assertThat(marks.isDue(300, false, millis(199))).isFalse();
        assertThat(marks.isDue(300, false, millis(200))).isTrue();
    }

    @Test
    void aTimeIsCoveredOnceKafkaHasWhatHadCommittedByThen() {
        marks.serverWasAt(NOON, 250);
        marks.isDue(200, true, millis(1_000));
        assertThat(marks.coveredTime()).isNull();
        marks.serverWasAt(NOON.plusSeconds(1), 900);
        marks.isDue(250, true, millis(1_000));
        assertThat(marks.coveredTime()).isEqualTo(NOON);
    }

    @Test
    void timePassesAlsoWhenNothingIsWritten() {
        marks.sending(200, 0);
        marks.serverWasAt(NOON, 200);
        assertThat(marks.isDue(200, true, millis(1_000))).isTrue();
        marks.sending(200, millis(1_000));
        assertThat(marks.isDue(200, true, millis(2_000))).isFalse();
    }

    @Test
    void aHorizonIsCoveredOnceKafkaHasAllThatHadEndedByThen() {
        marks.endedBelow(700, 250);
        marks.isDue(249, true, millis(1_000));
        assertThat(marks.coveredHorizon()).isZero();
        marks.endedBelow(800, 900);
        marks.isDue(250, true, millis(1_000));
        assertThat(marks.coveredHorizon()).isEqualTo(700);
    }

    @Test
    void whatTheLastMarkSaidHoldsUntilMoreIsKnown() {
        Marks next = new Marks(100, NOON, 700, 0);
        next.isDue(150, true, millis(1_000));
        assertThat(next.coveredTime()).isEqualTo(NOON);
        assertThat(next.coveredHorizon()).isEqualTo(700);
    }

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }
}

package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchSizeTest {
    private final BatchSize size = new BatchSize(2_000);

    @Test
    void beginsSmallAndNeverExceedsTheMaximum() {
        assertThat(size.next()).isEqualTo(BatchSize.FIRST);
        size.took(BatchSize.FIRST, Duration.ofMillis(3));
        assertThat(size.next()).isEqualTo(2_000);
        size.took(2_000, Duration.ZERO);
        assertThat(size.next()).isEqualTo(2_000);
        assertThat(new BatchSize(5).next()).isEqualTo(5);
    }

    @Test
    void slowHandlersGetAsManyAsFitIntoATransactionsTime() {
        size.took(100, Duration.ofSeconds(2));
        assertThat(size.next()).isEqualTo(25);
        size.took(25, Duration.ofMillis(500));
        assertThat(size.next()).isEqualTo(25);
        size.took(25, Duration.ofMillis(50));
        assertThat(size.next()).isEqualTo(250);
    }

    @Test
    void takesAtLeastOneHoweverSlow() {
        size.took(1, Duration.ofMinutes(1));
        assertThat(size.next()).isEqualTo(1);
    }
}

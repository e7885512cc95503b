package dev.tributary.relay.replay;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.relay.flow.RelayException;
import org.junit.jupiter.api.Test;

class RefusalsTest {
    @Test
    void moreEventsThanThereArePositionsAreRefusedBeforeAnyIsSent() {
        Refusals.refuseTooMany(4_000_000_000L, 294_967_296L);
        assertThatThrownBy(() -> Refusals.refuseTooMany(4_000_000_000L, 294_967_297L))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("positions for 4294967296 events, and there are 4294967297");
    }
}

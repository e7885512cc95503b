package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.RelayException;
import org.junit.jupiter.api.Test;

class DeliveredEventsTest {
    private final DeliveredEvents delivered = new DeliveredEvents();

    @Test
    void onlyWhatWasFoundCountsAsDeliveredHoweverFarOtherPartitionsAre() {
        delivered.add(new Position(1, 10, 0));
        delivered.add(new Position(1, 30, 2));
        assertThat(delivered.takes(new Position(1, 10, 0))).isTrue();
        assertThat(delivered.takes(new Position(1, 10, 1))).isFalse();
        assertThat(delivered.takes(new Position(1, 20, 0))).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 0))).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 2))).isTrue();
        assertThat(delivered.takes(new Position(1, 30, 3))).isFalse();
    }

    @Test
    void eventsThatTheDatabaseDoesNotSendAreAnotherHistorys() {
        delivered.add(new Position(1, 10, 0));
        delivered.add(new Position(1, 30, 2));
        assertThat(delivered.takes(new Position(1, 30, 2))).isTrue();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 31, 0)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("1 events");
    }

    @Test
    void knowsTheLastAndTheNumberThoughEventsRepeat() {
        delivered.add(new Position(1, 30, 2));
        delivered.add(new Position(1, 10, 0));
        delivered.add(new Position(1, 30, 2));
        assertThat(delivered.last()).isEqualTo(new Position(1, 30, 2));
        assertThat(delivered.size()).isEqualTo(2);
    }
}

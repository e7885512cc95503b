package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DeliveredEventsTest {
    private static final UUID ID = new UUID(0, 1);
    private final DeliveredEvents delivered = new DeliveredEvents(PositionForm.COMMIT_START);

    @Test
    void onlyWhatWasFoundCountsAsDeliveredHoweverFarOtherPartitionsAre() {
        delivered.add(new Position(1, 10, 0), ID);
        delivered.add(new Position(1, 30, 2), ID);
        assertThat(delivered.takes(new Position(1, 10, 0), ID)).isTrue();
        assertThat(delivered.takes(new Position(1, 10, 1), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 20, 0), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 0), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 2), ID)).isTrue();
        assertThat(delivered.takes(new Position(1, 30, 3), ID)).isFalse();
    }

    @Test
    void eventsThatTheDatabaseDoesNotSendAreAnotherHistorys() {
        delivered.add(new Position(1, 10, 0), ID);
        delivered.add(new Position(1, 30, 2), ID);
        assertThat(delivered.takes(new Position(1, 30, 2), ID)).isTrue();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 31, 0), ID))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("1 events");
    }

    @Test
    void knowsTheLastAndTheNumberThoughEventsRepeat() {
        delivered.add(new Position(1, 30, 2), ID);
        delivered.add(new Position(1, 10, 0), ID);
        delivered.add(new Position(1, 30, 2), ID);
        assertThat(delivered.last()).isEqualTo(new Position(1, 30, 2));
        assertThat(delivered.size()).isEqualTo(2);
    }

    @Test
    void whatTheOtherEngineHasSentIsKnownAgainAndPositionsGrowBehindIt() {
        // Transactions with commit records from 80 to 96, 96 to 120, 120 to 144; the second is delivered in part
        delivered.add(new Position(1, 95, 0), new UUID(0, 1));
        delivered.add(new Position(1, 119, 1), new UUID(0, 3));
        assertThat(delivered.takes(new Position(1, 80, 0), new UUID(0, 1))).isTrue();
        assertThat(delivered.takes(new Position(1, 96, 0), new UUID(0, 2))).isFalse();
        assertThat(delivered.behindDelivered(new Position(1, 96, 0))).isEqualTo(new Position(1, 96, 0));
        assertThat(delivered.takes(new Position(1, 96, 1), new UUID(0, 3))).isTrue();
        assertThat(delivered.takes(new Position(1, 96, 2), new UUID(0, 4))).isFalse();
        assertThat(delivered.behindDelivered(new Position(1, 96, 2))).isEqualTo(new Position(1, 119, 2));
        assertThat(delivered.behindDelivered(new Position(1, 120, 0))).isEqualTo(new Position(1, 120, 0));
        assertThat(delivered.size()).isZero();
    }

    @Test
    void theLastTransactionMayBeTheOtherEnginesByAnotherNumber() {
        DeliveredEvents delivered = new DeliveredEvents(PositionForm.COMMIT_END);
        delivered.add(new Position(1, 96, 0), new UUID(0, 1));
        delivered.add(new Position(1, 96, 5), new UUID(0, 2));
        assertThat(delivered.last()).isEqualTo(new Position(1, 96, 5));
        assertThat(delivered.takes(new Position(1, 119, 0), new UUID(0, 1))).isTrue();
        assertThat(delivered.behindDelivered(new Position(1, 119, 1))).isEqualTo(new Position(1, 119, 1));
        assertThat(delivered.takes(new Position(1, 119, 1), new UUID(0, 9))).isFalse();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 143, 0), new UUID(0, 2)))
                .isInstanceOf(RelayException.Stopped.class);
    }
}

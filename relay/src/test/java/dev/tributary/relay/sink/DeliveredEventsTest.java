package dev.tributary.relay.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.flow.RelayException;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class DeliveredEventsTest {
    private static final UUID ID = new UUID(0, 1);
    private static final byte[] KEY = {1};
    private static final TopicPartition SOMEWHERE = new TopicPartition("t", 0);
    private final DeliveredEvents delivered = new DeliveredEvents(PositionForm.COMMIT_START);

    @Test
    void onlyWhatWasFoundCountsAsDeliveredHoweverFarOtherPartitionsAre() {
        delivered.add(SOMEWHERE, KEY, new Position(1, 10, 0), ID);
        delivered.add(SOMEWHERE, KEY, new Position(1, 30, 2), ID);
        assertThat(delivered.takes(new Position(1, 10, 0), ID)).isTrue();
        assertThat(delivered.takes(new Position(1, 10, 1), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 20, 0), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 0), ID)).isFalse();
        assertThat(delivered.takes(new Position(1, 30, 2), ID)).isTrue();
        assertThat(delivered.takes(new Position(1, 30, 3), ID)).isFalse();
    }

    @Test
    void aTransactionMayBeOfAnySize() {
        for (int ordinal : new int[] {0, 63, 64, 127, 1_000_000}) {
            delivered.add(SOMEWHERE, KEY, new Position(1, 16, ordinal), new UUID(0, ordinal));
        }
        assertThat(delivered.countFrom(16)).isEqualTo(5);
        for (int ordinal : new int[] {0, 1, 63, 64, 65, 127, 128, 1_000_000}) {
            boolean found = ordinal % 64 == 63 || ordinal % 64 == 0;
            assertThat(delivered.takes(new Position(1, 16, ordinal), new UUID(0, ordinal)))
                    .as("ordinal " + ordinal)
                    .isEqualTo(found && ordinal != 128);
        }
        assertThat(delivered.size()).isZero();
    }

    @Test
    void eventsThatTheDatabaseDoesNotSendAreAnotherHistorys() {
        delivered.add(SOMEWHERE, KEY, new Position(1, 10, 0), ID);
        delivered.add(SOMEWHERE, KEY, new Position(1, 30, 2), ID);
        assertThat(delivered.takes(new Position(1, 30, 2), ID)).isTrue();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 31, 0), ID))
                .isInstanceOf(RelayException.HistoryBroken.class)
                .hasMessageContaining("1 events");
    }

    @Test
    void knowsTheLastAndTheNumberThoughEventsRepeat() {
        delivered.add(SOMEWHERE, KEY, new Position(1, 30, 2), ID);
        delivered.add(SOMEWHERE, KEY, new Position(1, 10, 0), ID);
        delivered.add(SOMEWHERE, KEY, new Position(1, 30, 2), ID);
        assertThat(delivered.last()).isEqualTo(new Position(1, 30, 2));
        assertThat(delivered.size()).isEqualTo(2);
    }

    @Test
    void whatTheOtherEngineHasSentIsKnownAgainAndPositionsGrowBehindIt() {
        // Transactions with commit records from 80 to 96, 96 to 120, 120 to 144; the second is delivered in part
        delivered.add(SOMEWHERE, KEY, new Position(1, 95, 0), new UUID(0, 1));
        delivered.add(SOMEWHERE, KEY, new Position(1, 119, 1), new UUID(0, 3));
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
        delivered.add(SOMEWHERE, KEY, new Position(1, 96, 0), new UUID(0, 1));
        delivered.add(SOMEWHERE, KEY, new Position(1, 96, 5), new UUID(0, 2));
        assertThat(delivered.last()).isEqualTo(new Position(1, 96, 5));
        assertThat(delivered.takes(new Position(1, 119, 0), new UUID(0, 1))).isTrue();
        assertThat(delivered.behindDelivered(new Position(1, 119, 1))).isEqualTo(new Position(1, 119, 1));
        assertThat(delivered.takes(new Position(1, 119, 1), new UUID(0, 9))).isFalse();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 143, 0), new UUID(0, 2)))
                .isInstanceOf(RelayException.HistoryBroken.class);
    }

    @Test
    void anEventBehindLaterOnesOfItsPartitionIsAnotherHistorys() {
        delivered.endsAt(SOMEWHERE, 9);
        delivered.add(SOMEWHERE, KEY, new Position(1, 32, 0), ID);
        assertThatCode(() -> delivered.refuseLate(new Position(1, 24, 0), "other", KEY))
                .doesNotThrowAnyException();
        assertThatCode(() -> delivered.refuseLate(new Position(1, 40, 0), "t", KEY))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> delivered.refuseLate(new Position(1, 24, 0), "t", KEY))
                .isInstanceOf(RelayException.HistoryBroken.class)
                .hasMessageContaining("t-0");
    }

    @Test
    void wherePartitionsWereAddedNothingIsSaidOfThem() {
        delivered.endsAt(new TopicPartition("t", 0), 9);
        delivered.endsAt(new TopicPartition("t", 1), 9);
        delivered.add(new TopicPartition("t", 0), KEY, new Position(1, 32, 0), ID);
        delivered.add(new TopicPartition("t", 1), KEY, new Position(1, 32, 1), ID);
        assertThatCode(() -> delivered.refuseLate(new Position(1, 24, 0), "t", KEY))
                .doesNotThrowAnyException();
    }

    @Test
    void otherEventsAtTheSamePlacesAreAnotherHistorys() {
        delivered.add(SOMEWHERE, KEY, new Position(1, 32, 0), new UUID(7, 1));
        delivered.add(SOMEWHERE, KEY, new Position(1, 32, 1), new UUID(7, 2));
        delivered.add(SOMEWHERE, KEY, new Position(1, 32, 1), new UUID(7, 2));
        delivered.add(SOMEWHERE, KEY, new Position(1, 40, 0), new UUID(7, 3));
        assertThat(delivered.takes(new Position(1, 32, 0), new UUID(7, 1))).isTrue();
        assertThat(delivered.takes(new Position(1, 32, 1), new UUID(7, 2))).isTrue();
        assertThatThrownBy(() -> delivered.takes(new Position(1, 40, 0), new UUID(8, 3)))
                .isInstanceOf(RelayException.HistoryBroken.class)
                .hasMessageContaining("other events");
    }
}

package dev.tributary.relay.source;

import static dev.tributary.relay.source.EventsUnderTest.insert;
import static dev.tributary.relay.source.EventsUnderTest.pump;
import static dev.tributary.relay.source.EventsUnderTest.receive;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.PositionForm;
import dev.tributary.relay.source.EventsUnderTest.Received;
import dev.tributary.relay.source.debezium.DebeziumSource;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class DebeziumSourceIT extends ChangeSourceContract {
    DebeziumSourceIT() {
        super(SourceConfig.Engine.DEBEZIUM, PositionForm.COMMIT_END);
    }

    @Override
    ChangeSource open(SourceConfig source, SourceDatabase.Server server, long confirmedLsn) throws SQLException {
        return new DebeziumSource(source, server, source.epoch(), confirmedLsn);
    }

    @Test
    void anEventsPositionIsTheLastByteOfItsCommitRecord() throws SQLException {
        try (ChangeSource source = open()) {
            for (int i = 0; i < 5; i++) {
                database.execute(insert("tx" + i));
            }
            Received received = receive(source, 5);
            assertThat(received.events)
                    .extracting(OutboxEvent::position)
                    .containsExactlyElementsOf(received.ends.stream()
                            .map(end -> new Position(1, end - 1, 0))
                            .toList());
        }
    }

    @Test
    void aTransactionThatIsTooLargeStopsTheSourceAndNothingOfItIsHandedOver() throws SQLException {
        database.config = database.config.withTransactionBytesMax(1_000_000);
        try (ChangeSource source = open()) {
            database.execute(insert("fits", 1_000));
            receive(source, 1_000);
            database.execute(insert("too many", 5_000));
            assertStopped(source, "relay.sources." + database.config.name() + ".transaction.bytes.max");
        }
    }

    @Test
    void anIdleServerIsLeftIdle() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute("INSERT INTO other VALUES (1)");
            long end = database.walEnd();
            Received received = new Received();
            pump(source, received, () -> source.caughtUpTo() >= end);
            int before = received.commits;
            long start = System.nanoTime();
            pump(source, received, () -> System.nanoTime() - start > 3_000_000_000L);
            // One more, perhaps, for what the server wrote by itself
            assertThat(received.commits - before).isLessThanOrEqualTo(1);
        }
    }
}

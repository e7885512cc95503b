package dev.tributary.relay.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.flow.Delivery;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class InFlightTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private final InFlight inFlight = new InFlight(100, 1_000);

    @Test
    void nothingIsConfirmedBeforeEveryEventOfTheTransactionIsAcknowledged() {
        Delivery first = inFlight.sending(10);
        Delivery second = inFlight.sending(10);
        first.acknowledged();
        inFlight.committed(200, NOW);
        assertThat(inFlight.confirmableLsn()).isEqualTo(100);
        second.acknowledged();
        assertThat(inFlight.confirmableLsn()).isEqualTo(200);
    }

    @Test
    void anOpenTransactionIsNotConfirmedThoughAllItsEventsSoFarAre() {
        inFlight.sending(10).acknowledged();
        assertThat(inFlight.confirmableLsn()).isEqualTo(100);
        inFlight.committed(200, NOW);
        assertThat(inFlight.confirmableLsn()).isEqualTo(200);
    }

    @Test
    void aTransactionWaitsForAllBeforeIt() {
        Delivery first = inFlight.sending(10);
        inFlight.committed(200, NOW);
        inFlight.sending(10).acknowledged();
        inFlight.committed(300, NOW);
        assertThat(inFlight.confirmableLsn()).isEqualTo(100);
        assertThat(inFlight.oldestCommit()).isEqualTo(NOW);
        first.acknowledged();
        assertThat(inFlight.confirmableLsn()).isEqualTo(300);
        assertThat(inFlight.oldestCommit()).isNull();
    }

    @Test
    void whatTheServerLookedThroughCountsOnlyWhileNothingIsInFlight() {
        Delivery delivery = inFlight.sending(10);
        inFlight.committed(200, NOW);
        inFlight.caughtUpTo(500);
        assertThat(inFlight.confirmableLsn()).isEqualTo(100);
        delivery.acknowledged();
        assertThat(inFlight.confirmableLsn()).isEqualTo(200);
        inFlight.caughtUpTo(500);
        assertThat(inFlight.confirmableLsn()).isEqualTo(500);
        inFlight.caughtUpTo(-1);
        assertThat(inFlight.confirmableLsn()).isEqualTo(500);
    }

    @Test
    void emptyTransactionsAreConfirmedToo() {
        inFlight.committed(200, NOW);
        assertThat(inFlight.confirmableLsn()).isEqualTo(200);
    }

    @Test
    void roomIsCountedInBytesAndComesBack() {
        Delivery delivery = inFlight.sending(1_000);
        assertThat(inFlight.hasRoom()).isFalse();
        assertThat(inFlight.events()).isEqualTo(1);
        delivery.acknowledged();
        assertThat(inFlight.hasRoom()).isTrue();
        assertThat(inFlight.events()).isZero();
    }
}

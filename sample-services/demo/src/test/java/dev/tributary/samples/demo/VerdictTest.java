package dev.tributary.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Delivered;
import dev.tributary.samples.demo.Findings.Effect;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A flawless run of four events, and what the verdict makes of each flaw planted into it. */
class VerdictTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    private final List<Committed> committed = new ArrayList<>(List.of(
            new Committed("e1", "sales", "customer/c", 1, "customer/c", NOON),
            new Committed("e2", "sales", "order/o", 1, "order/o", NOON),
            new Committed("e3", "sales", "customer/c", 2, "customer/c", NOON),
            new Committed("e4", "fulfilment", "shipment/s", 1, "shipment of o", NOON)));
    private final List<Delivered> delivered = new ArrayList<>(List.of(
            record("e1", "/sales", "customer/c", 1, "01", "sales.customer-0"),
            record("e3", "/sales", "customer/c", 2, "03", "sales.customer-0"),
            record("e2", "/sales", "order/o", 1, "02", "sales.order-4"),
            record("e4", "/fulfilment", "shipment/s", 1, "01", "fulfilment.shipment-2")));
    private final Map<String, String> truth = new HashMap<>(Map.of("customer c", "(Ann)", "order o", "(100)"));
    private final Map<String, String> shown = new HashMap<>(truth);
    private final Map<String, Effect> effects = new HashMap<>(Map.of(
            "customer/c", new Effect(2, NOON), "order/o", new Effect(1, NOON), "shipment of o", new Effect(1, NOON)));

    @Test
    void passesAFlawlessRun() {
        Verdict verdict = verdict();

        assertThat(verdict.passed()).isTrue();
        assertThat(verdict.committed()).isEqualTo(4);
        assertThat(verdict.delivered()).isEqualTo(4);
        assertThat(verdict.applied()).isEqualTo(4);
        assertThat(verdict.rows()).isEqualTo(2);
    }

    @Test
    void findsAnEventLostBeforeKafka() {
        delivered.remove(2);
        assertFails(verdict().lost(), "order/o event 1 is not in Kafka");
    }

    @Test
    void findsAnEventLostBehindKafka() {
        effects.remove("order/o");
        assertFails(verdict().lost(), "order/o: committed 1 times, applied 0 times");
    }

    @Test
    void findsAnOrderAcknowledgedAndForgotten() {
        truth.remove("order o");
        shown.remove("order o");
        assertFails(verdict().lost(), "order o was acknowledged");
    }

    @Test
    void findsAnEventAppliedTwice() {
        effects.put("customer/c", new Effect(3, NOON));
        assertFails(verdict().doubled(), "customer/c: committed 2 times, applied 3 times");
    }

    @Test
    void findsAnEventThatWasNeverCommitted() {
        delivered.add(record("e5", "/sales", "order/x", 1, "04", "sales.order-4"));
        assertFails(verdict().doubled(), "e5");
    }

    @Test
    void findsAnAggregatesEventsSwapped() {
        delivered.set(0, record("e3", "/sales", "customer/c", 2, "03", "sales.customer-0"));
        delivered.set(1, record("e1", "/sales", "customer/c", 1, "01", "sales.customer-0"));
        assertFails(verdict().outOfOrder(), "e1");
    }

    @Test
    void findsAnAggregatesEventsInTwoPartitions() {
        delivered.set(1, record("e3", "/sales", "customer/c", 2, "03", "sales.customer-1"));
        assertFails(verdict().outOfOrder(), "e3");
    }

    @Test
    void findsDifferentAggregatesEventsSwappedInAPartition() {
        committed.add(new Committed("e5", "sales", "order/p", 1, "order/p", NOON));
        effects.put("order/p", new Effect(1, NOON));
        delivered.add(record("e5", "/sales", "order/p", 1, "01", "sales.order-4"));
        assertFails(verdict().outOfOrder(), "e5");
    }

    @Test
    void findsAGapInTheSourcesNumbers() {
        committed.set(2, new Committed("e3", "sales", "customer/c", 3, "customer/c", NOON));
        assertFails(verdict().outOfOrder(), "customer/c has events [1, 3]");
    }

    @Test
    void findsWrongMissingAndSurplusRows() {
        shown.put("customer c", "(Bob)");
        shown.put("order p", "(1)");
        shown.remove("order o");

        assertThat(verdict().passed()).isFalse();
        assertThat(verdict().different()).hasSize(3);
    }

    @Test
    void letsRepeatsInATopicPass() {
        delivered.add(1, delivered.get(0));

        assertThat(verdict().passed()).isTrue();
        assertThat(verdict().repeated()).isEqualTo(1);
    }

    @Test
    void doesNotPassAnEmptyRun() {
        assertThat(Verdict.on(new Findings(Set.of(), List.of(), List.of(), Map.of(), Map.of(), Map.of()))
                        .passed())
                .isFalse();
    }

    private Verdict verdict() {
        return Verdict.on(new Findings(Set.of("o"), committed, delivered, shown, truth, effects));
    }

    private void assertFails(List<String> flaws, String flaw) {
        assertThat(verdict().passed()).isFalse();
        assertThat(flaws).singleElement().asString().contains(flaw);
    }

    private static Delivered record(
            String id, String source, String aggregate, long sequence, String position, String partition) {
        return new Delivered(id, source, aggregate, sequence, position, partition);
    }
}

package dev.tributary.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Effect;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LatenciesTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    /** One in 5 ms; one that waited 2 s, as the relay was away for 1 s of them; one customer. */
    private final Findings findings = new Findings(
            Set.of(),
            List.of(order("a", NOON), order("b", NOON.plusSeconds(10)), order("customer/c", NOON)),
            List.of(),
            Map.of(),
            Map.of(),
            Map.of(
                    "a", new Effect(1, NOON.plusMillis(5)),
                    "b", new Effect(1, NOON.plusSeconds(12)),
                    "customer/c", new Effect(1, NOON.plusSeconds(99))));

    @Test
    void runFromCommitToCommit() {
        assertThat(Latencies.ofAll(findings)).hasToString("p50 5.0 ms  p99 2,001 ms");
        assertThat(Latencies.ofAll(findings).count()).isEqualTo(2);
    }

    @Test
    void leaveOutWhatAnOutageHeldUp() {
        Outage outage = new Outage("relay", NOON.plusSeconds(10), NOON.plusSeconds(11));

        assertThat(Latencies.ofUndisturbed(findings, List.of(outage))).hasToString("p50 5.0 ms  p99 5.0 ms");
    }

    @Test
    void anOutageLastsUntilItIsMadeUpFor() {
        Outage outage = new Outage("relay", NOON.plusSeconds(9), NOON.plusSeconds(11));

        assertThat(outage.untilMadeUpFor(findings).to()).isEqualTo(NOON.plusSeconds(12));
    }

    private static Committed order(String effect, Instant at) {
        return new Committed(effect, "sales", "order/" + effect, 1, effect, at);
    }
}

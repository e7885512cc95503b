package dev.tributary.samples.demo;

import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Effect;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/** From a fault until all was up again. */
record Outage(String what, Instant from, Instant to) {

    /** The same outage, until all that had been committed during it was visible, too. */
    Outage untilMadeUpFor(Findings findings) {
        List<Instant> late = findings.committed().stream()
                .filter(event -> event.at().isBefore(to) && !event.effect().startsWith("customer/"))
                .map(Committed::effect)
                .map(findings.effects()::get)
                .filter(Objects::nonNull)
                .map(Effect::visibleAt)
                .filter(to::isBefore)
                .toList();
        return new Outage(what, from, late.stream().max(Instant::compareTo).orElse(to));
    }
}

package dev.tributary.relay.http;

import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.running.SourceStatuses;
import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import io.micronaut.management.health.indicator.annotation.Readiness;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.reactivestreams.Publisher;

/** Ready means that every source's data moves, and that its slot is not in danger; otherwise each source says why not and what to do. */
@Readiness
@Singleton
final class SourcesReadiness implements HealthIndicator {
    private final SourceStatuses sources;

    SourcesReadiness(SourceStatuses sources) {
        this.sources = sources;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        return Publishers.just(result());
    }

    private HealthResult result() {
        List<SourceStatus> statuses = sources.statuses();
        Map<String, Object> details = new LinkedHashMap<>();
        statuses.forEach(status -> details.put(status.source(), detail(status)));
        return HealthResult.builder(
                        "sources",
                        statuses.stream().allMatch(SourcesReadiness::ready) ? HealthStatus.UP : HealthStatus.DOWN)
                .details(details)
                .build();
    }

    private static boolean ready(SourceStatus status) {
        return status.moving() && status.slot().danger().isEmpty();
    }

    private static Map<String, String> detail(SourceStatus status) {
        Map<String, String> detail = new LinkedHashMap<>();
        detail.put("state", status.state().name());
        detail.put("since", status.since().toString());
        boolean still = status.state() == SourceState.STREAMING && !status.moving();
        String danger = status.state() == SourceState.STREAMING ? status.slot().danger() : "";
        detail.put(
                "reason",
                still ? "Kafka has acknowledged nothing for a while" : danger.isEmpty() ? status.reason() : danger);
        detail.put("remedy", status.remedy());
        return detail;
    }
}

package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import dev.tributary.consumer.view.KafkaExtents.Extent;
import dev.tributary.consumer.view.ViewLoop.Sight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/** What people are told of a view's versions: how far each is, how fast it gets on, what is in its way. Not thread-safe. */
final class VersionStatuses {
    private final SortedMap<Integer, ViewVersion> known;
    private final Fleet fleet;
    private final AutomaticSwitch automatic;
    private final KafkaReach kafka;
    private final Map<Integer, Gauging> gauges = new HashMap<>();

    VersionStatuses(SortedMap<Integer, ViewVersion> known, Fleet fleet, AutomaticSwitch automatic, KafkaReach kafka) {
        this.known = known;
        this.fleet = fleet;
        this.automatic = automatic;
        this.kafka = kafka;
    }

    List<ViewStatus.Version> of(Sight sight) {
        List<ViewStatus.Version> versions = new ArrayList<>();
        for (VersionRow row : sight.rows().values()) {
            versions.add(describe(row, sight.of(row)));
        }
        return List.copyOf(versions);
    }

    private ViewStatus.Version describe(VersionRow row, Positions positions) {
        ViewVersion version = known.get(row.version());
        List<String> problems = new ArrayList<>();
        ViewStatus.Progress progress = null;
        if (row.state().isFed()) {
            problems.addAll(fleet.problems(row));
            String withheld = automatic.withheld(row.version());
            if (withheld != null) {
                problems.add(withheld);
            }
            History history = version == null ? History.whole() : version.history();
            Map<TopicPartition, Extent> own = extentsOf(row, history);
            if (version != null) {
                problems.addAll(Gauging.missing(row.version(), history, own, positions));
            }
            progress = own.isEmpty() ? null : progress(row, history, own, positions);
        } else {
            gauges.remove(row.version());
        }
        return new ViewStatus.Version(
                row.version(),
                row.state(),
                row.paused(),
                version != null,
                row.caughtUpAt(),
                progress,
                List.copyOf(problems));
    }

    private Map<TopicPartition, Extent> extentsOf(VersionRow row, History history) {
        return kafka.extents().entrySet().stream()
                .filter(each -> row.topics().contains(each.getKey().topic())
                        || history.replays().contains(each.getKey().topic()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private ViewStatus.Progress progress(
            VersionRow row, History history, Map<TopicPartition, Extent> own, Positions positions) {
        Gauging gauge = gauges.computeIfAbsent(row.version(), v -> new Gauging());
        return history.replays().isEmpty()
                ? gauge.progress(own, kafka.starts(row.version()), positions, System.nanoTime())
                : gauge.progressFromReplays(own, history.replays(), positions, System.nanoTime());
    }
}

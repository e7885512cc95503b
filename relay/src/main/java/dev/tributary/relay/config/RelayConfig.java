package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything one relay process is told. Immutable.
 *
 * @param kafka Kafka client properties, verbatim; name {@code bootstrap.servers} and nothing that weakens the guarantees
 * @param http where it answers
 * @param sources the databases it tails, at least one, each with a name and topics of its own
 */
public record RelayConfig(Map<String, Object> kafka, HttpConfig http, List<SourceConfig> sources) {

    /**
     * Checks everything.
     *
     * @throws ConfigurationException naming every mistake
     */
    public RelayConfig {
        kafka = Collections.unmodifiableMap(new LinkedHashMap<>(kafka));
        sources = List.copyOf(sources);
        List<Mistake> mistakes = new ArrayList<>(KafkaGuarantees.mistakes(kafka));
        if (sources.isEmpty()) {
            mistakes.add(new Mistake("relay.sources", "names no source; add one with url and username"));
        }
        mistakes.addAll(shared(sources));
        ConfigurationException.throwIfAny(mistakes);
    }

    /** Two sources in one topic would mix positions that cannot be compared, and lose events as duplicates. */
    private static List<Mistake> shared(List<SourceConfig> sources) {
        List<Mistake> mistakes = new ArrayList<>();
        Map<String, String> names = new HashMap<>();
        for (SourceConfig source : sources) {
            String topics = source.topic().replace(TopicTemplate.SOURCE, source.name());
            String other = names.putIfAbsent(topics, source.name());
            if (other != null) {
                mistakes.add(new Mistake(
                        source.key("topic"),
                        "leads to the same topics as source '" + other + "'; put " + TopicTemplate.SOURCE
                                + " into it, since two sources must not share a topic"));
            }
        }
        return mistakes;
    }

    /** Without the values of Kafka's properties, which may be secrets. */
    @Override
    public String toString() {
        return "RelayConfig[kafka=" + kafka.keySet() + ", http=" + http + ", sources=" + sources + "]";
    }
}

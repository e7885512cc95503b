package dev.tributary.relay.config;

import static dev.tributary.relay.config.SourceConfig.Engine;

import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code relay.yaml} and the environment that completes and overrides it. Values are text throughout, and Kafka's
 * properties keep their names to the letter.
 */
public final class ConfigFile {
    private static final String KAFKA = "relay.kafka.";
    private static final String HTTP = "relay.http.";
    private static final String SOURCES = "relay.sources.";
    private static final List<String> SECTIONS = List.of("kafka", "http", "sources");
    private static final List<String> HTTP_KEYS = List.of("host", "port");
    private static final Set<String> SOURCE_KEYS = Stream.concat(
                    Stream.of(
                            "url",
                            "username",
                            "password",
                            "engine",
                            "topic",
                            "epoch",
                            "skip",
                            "poison",
                            "transaction.bytes.max",
                            SlotLimits.BYTES_MAX,
                            SlotLimits.TIME_MIN),
                    Stream.concat(LayoutKeys.names().stream(), RetentionKeys.NAMES.stream()))
            .collect(Collectors.toUnmodifiableSet());
    private static final Set<String> TOPIC_PLACEHOLDERS = Set.of("source", "aggregate_type");

    private final Map<String, String> environment;
    private final List<Mistake> mistakes = new ArrayList<>();
    private final Map<String, Object> kafka = new LinkedHashMap<>();
    private final Map<String, String> http = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> sources = new TreeMap<>();
    private Map<String, String> variables = Map.of();

    /** Names that the Kafka client resolves by itself, as in <code>${file:/run/secrets:key}</code>. */
    private Set<String> kafkaProviders = Set.of();

    private ConfigFile(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * Reads and checks it all.
     *
     * @param environment what placeholders and overriding variables are looked up in
     * @throws ConfigurationException with everything that is wrong, if anything is
     */
    public static RelayConfig read(Path file, Map<String, String> environment) {
        return new ConfigFile(environment).config(YamlFile.read(file));
    }

    private RelayConfig config(Map<String, String> settings) {
        variables = EnvironmentKeys.find(environment.keySet(), settings.keySet(), HTTP_KEYS, SOURCE_KEYS);
        kafkaProviders =
                Set.of(settings.getOrDefault(KAFKA + "config.providers", "").split("\\s*,\\s*", -1));
        settings.replaceAll(this::resolved);
        variables.forEach((key, variable) -> settings.put(key, environment.getOrDefault(variable, "")));
        settings.forEach(this::sort);

        HttpConfig httpConfig = orMistakes(this::httpConfig);
        List<SourceConfig> sourceConfigs = new ArrayList<>();
        sources.forEach((name, keys) -> {
            SourceConfig source = orMistakes(() -> sourceConfig(name, keys));
            if (source != null) {
                sourceConfigs.add(source);
            }
        });
        RelayConfig config = null;
        if (httpConfig != null && sourceConfigs.size() == sources.size()) {
            config = orMistakes(() -> new RelayConfig(kafka, httpConfig, sourceConfigs));
        } else {
            mistakes.addAll(KafkaGuarantees.mistakes(kafka));
        }
        if (config == null || !mistakes.isEmpty()) {
            throw new ConfigurationException(
                    mistakes.stream().map(this::withVariable).toList());
        }
        return config;
    }

    private String resolved(String key, String value) {
        if (key.endsWith(".topic")) {
            // SourceConfig tells what is unknown in a topic, since it knows what there is besides variables
            return Placeholders.resolve(value, environment, TOPIC_PLACEHOLDERS, missing -> {});
        }
        return Placeholders.resolve(
                value,
                environment,
                key.startsWith(KAFKA) ? kafkaProviders : Set.of(),
                name -> mistakes.add(
                        new Mistake(key, "needs the environment variable " + name + ", which is not set")));
    }

    private void sort(String key, String value) {
        if (key.startsWith(KAFKA)) {
            kafka.put(key.substring(KAFKA.length()), value);
        } else if (key.startsWith(HTTP)) {
            sortKnown(key, key.substring(HTTP.length()), value, HTTP_KEYS, http);
        } else if (key.startsWith(SOURCES)) {
            sortSource(key, key.substring(SOURCES.length()), value);
        } else if (!isEmptySection(key, value)) {
            boolean ours = key.startsWith("relay.");
            String word = ours ? key.split("\\.", -1)[1] : key.split("\\.", -1)[0];
            String meant = ours ? Suggestion.of(word, SECTIONS) : Suggestion.of(word, List.of("relay"));
            mistakes.add(new Mistake(key, "is not a key of the relay's" + meant));
        }
    }

    private static boolean isEmptySection(String key, String value) {
        return value.isEmpty() && (key.equals("relay") || SECTIONS.contains(key.replace("relay.", "")));
    }

    private void sortSource(String key, String rest, String value) {
        int dot = rest.indexOf('.');
        String name = dot < 0 ? rest : rest.substring(0, dot);
        Map<String, String> keys = sources.computeIfAbsent(name, unused -> new LinkedHashMap<>());
        if (dot >= 0) {
            sortKnown(key, rest.substring(dot + 1), value, SOURCE_KEYS, keys);
        } else if (!value.isEmpty()) {
            mistakes.add(new Mistake(key, "must hold the source's keys, at least url and username"));
        }
    }

    private void sortKnown(String key, String last, String value, Iterable<String> known, Map<String, String> sorted) {
        List<String> words = new ArrayList<>();
        known.forEach(words::add);
        if (words.contains(last)) {
            sorted.put(last, value);
        } else {
            mistakes.add(new Mistake(key, "is not a key of the relay's" + Suggestion.of(last, words)));
        }
    }

    private HttpConfig httpConfig() {
        String host = http.getOrDefault("host", HttpConfig.DEFAULT_HOST);
        return new HttpConfig(host, number(HTTP + "port", http.get("port"), HttpConfig.DEFAULT_PORT));
    }

    private SourceConfig sourceConfig(String name, Map<String, String> keys) {
        return new SourceConfig(
                name,
                keys.getOrDefault("url", ""),
                keys.getOrDefault("username", ""),
                keys.getOrDefault("password", ""),
                engine(SOURCES + name + ".engine", keys.get("engine")),
                keys.getOrDefault("topic", TopicTemplate.DEFAULT),
                number(SOURCES + name + ".epoch", keys.get("epoch"), 1),
                ids(SOURCES + name + ".skip", keys.getOrDefault("skip", "")),
                LayoutKeys.read(keys, (key, problem) -> mistakes.add(new Mistake(SOURCES + name + "." + key, problem))),
                poison(SOURCES + name + ".poison", keys.get("poison")),
                number(
                        SOURCES + name + ".transaction.bytes.max",
                        keys.get("transaction.bytes.max"),
                        SourceConfig.DEFAULT_TRANSACTION_BYTES_MAX),
                slotLimits(SOURCES + name + ".", keys),
                RetentionKeys.read(
                        keys, (key, problem) -> mistakes.add(new Mistake(SOURCES + name + "." + key, problem))));
    }

    private SlotLimits slotLimits(String prefix, Map<String, String> keys) {
        String bytes = keys.get(SlotLimits.BYTES_MAX);
        String time = keys.get(SlotLimits.TIME_MIN);
        try {
            return new SlotLimits(
                    bytes == null ? null : Long.valueOf(bytes.trim()),
                    time == null ? SlotLimits.DEFAULT.timeMin() : Duration.parse(time.trim()));
        } catch (NumberFormatException e) {
            mistakes.add(new Mistake(prefix + SlotLimits.BYTES_MAX, "must be a number of bytes, not '" + bytes + "'"));
        } catch (DateTimeParseException e) {
            mistakes.add(
                    new Mistake(prefix + SlotLimits.TIME_MIN, "must be a duration such as PT10M, not '" + time + "'"));
        } catch (ConfigurationException e) {
            e.mistakes().forEach(m -> mistakes.add(new Mistake(prefix + m.key(), m.problem())));
        }
        return SlotLimits.DEFAULT;
    }

    private Set<UUID> ids(String key, String value) {
        Set<UUID> ids = new HashSet<>();
        for (String id : value.split("[,\\s]+", -1)) {
            try {
                if (!id.isEmpty()) {
                    ids.add(UUID.fromString(id));
                }
            } catch (IllegalArgumentException e) {
                mistakes.add(new Mistake(key, "must be ids of events, separated by commas, not '" + id + "'"));
            }
        }
        return ids;
    }

    private Engine engine(String key, @Nullable String value) {
        if (value == null) {
            return Engine.PGOUTPUT;
        }
        for (Engine engine : Engine.values()) {
            if (engine.name().equalsIgnoreCase(value)) {
                return engine;
            }
        }
        String meant = Suggestion.of(value.toLowerCase(Locale.ROOT), List.of("pgoutput", "debezium"));
        mistakes.add(new Mistake(key, "must be pgoutput or debezium, not '" + value + "'" + meant));
        return Engine.PGOUTPUT;
    }

    private SourceConfig.Poison poison(String key, @Nullable String value) {
        if (value == null || value.equals("stop")) {
            return SourceConfig.Poison.STOP;
        }
        if (!value.equals("dead-letter")) {
            mistakes.add(new Mistake(key, "must be stop or dead-letter, not '" + value + "'"));
        }
        return SourceConfig.Poison.DEAD_LETTER;
    }

    private int number(String key, @Nullable String value, int byDefault) {
        if (value == null) {
            return byDefault;
        }
        try {
            return Integer.parseInt(value.trim());
        } catch (NumberFormatException e) {
            mistakes.add(new Mistake(key, "must be a whole number, not '" + value + "'"));
            return byDefault;
        }
    }

    private <T> @Nullable T orMistakes(Supplier<T> record) {
        try {
            return record.get();
        } catch (ConfigurationException e) {
            mistakes.addAll(e.mistakes());
            return null;
        }
    }

    /** Whoever set a key by a variable has to look there, not in the file. */
    private Mistake withVariable(Mistake mistake) {
        String variable = variables.get(mistake.key());
        return variable == null
                ? mistake
                : new Mistake(mistake.key(), "(set by " + variable + ") " + mistake.problem());
    }
}

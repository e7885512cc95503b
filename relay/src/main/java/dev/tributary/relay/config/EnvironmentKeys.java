package dev.tributary.relay.config;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the key that an environment variable sets, in Micronaut's way: upper case, with {@code _} for every {@code .},
 * {@code -} and {@code _}. Of what starts with {@code RELAY_} only these three groups are ours: Kubernetes, for one,
 * sets {@code RELAY_PORT} and its like for a service named relay.
 */
final class EnvironmentKeys {
    private static final String KAFKA = "RELAY_KAFKA_";
    private static final String HTTP = "RELAY_HTTP_";
    private static final String SOURCES = "RELAY_SOURCES_";

    private EnvironmentKeys() {}

    /**
     * Keys that the environment sets, each with the variable's name.
     *
     * @param fromFile keys that the file has: a variable that fits one of them sets that very key
     * @param sourceKeys the last parts of a source's keys
     */
    static Map<String, String> find(
            Set<String> environment, Collection<String> fromFile, Collection<String> httpKeys, Set<String> sourceKeys) {
        Map<String, String> spelled = new LinkedHashMap<>();
        fromFile.forEach(key -> spelled.put(variable(key), key));
        Map<String, String> found = new LinkedHashMap<>();
        environment.stream().sorted().forEach(variable -> {
            String known = spelled.get(variable);
            String key = known != null ? known : guess(variable, httpKeys, sourceKeys);
            if (key != null) {
                found.put(key, variable);
            }
        });
        return found;
    }

    private static @Nullable String guess(String variable, Collection<String> httpKeys, Set<String> sourceKeys) {
        String lower = variable.toLowerCase(Locale.ROOT);
        if (variable.startsWith(KAFKA)) {
            return "relay.kafka." + lower.substring(KAFKA.length()).replace('_', '.');
        }
        if (variable.startsWith(HTTP)) {
            String key = lower.substring(HTTP.length());
            return httpKeys.contains(key) ? "relay.http." + key : null;
        }
        if (variable.startsWith(SOURCES)) {
            String rest = lower.substring(SOURCES.length());
            int split = rest.lastIndexOf('_');
            String key = rest.substring(split + 1);
            // A source's name may hold underscores, so only the known last part tells where it ends
            return split > 0 && sourceKeys.contains(key)
                    ? "relay.sources." + rest.substring(0, split) + "." + key
                    : "relay.sources." + rest.replace('_', '.');
        }
        return null;
    }

    private static String variable(String key) {
        return key.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
    }
}

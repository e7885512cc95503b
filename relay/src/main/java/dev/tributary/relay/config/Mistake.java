package dev.tributary.relay.config;

/**
 * One thing wrong with the configuration.
 *
 * @param key the key in full, such as {@code relay.http.port}
 * @param problem what is wrong with it and what to do, without the values of secrets
 */
public record Mistake(String key, String problem) {
    @Override
    public String toString() {
        return key + ": " + problem;
    }
}

package dev.tributary.relay.config;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration cannot be used; its message lists every mistake found, one a line, and no secrets. */
public final class ConfigurationException extends RuntimeException {
    private final List<Mistake> mistakes;

    public ConfigurationException(List<Mistake> mistakes) {
        super(mistakes.stream().map(Mistake::toString).collect(Collectors.joining("\n")));
        this.mistakes = List.copyOf(mistakes);
    }

    /** Never empty. */
    public List<Mistake> mistakes() {
        return mistakes;
    }

    static void throwIfAny(List<Mistake> mistakes) {
        if (!mistakes.isEmpty()) {
            throw new ConfigurationException(mistakes);
        }
    }
}

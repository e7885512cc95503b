package dev.tributary.relay.sink;

import java.util.Set;
import java.util.function.Predicate;

/** The topics of one source: created when missing, checked when there. Used by one thread. */
public interface Topics extends AutoCloseable {
    /** Names of the topics that exist and pass {@code filter}. */
    Set<String> existing(Predicate<String> filter);

    /** Makes sure that the topic of the source's progress marks exists. */
    void ensureMarks(String topic);

    /**
     * Makes sure that {@code topic} exists and can hold events. Cheap when asked again.
     *
     * @throws RelayException.Stopped if it cannot
     */
    void ensure(String topic);

    @Override
    void close();
}

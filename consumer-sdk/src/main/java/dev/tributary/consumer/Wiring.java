package dev.tributary.consumer;

import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of this SDK that accompany a subscription need of it; not for applications. Thread-safe.
 */
public final class Wiring {
    private final PollLoop loop;

    Wiring(PollLoop loop) {
        this.loop = loop;
    }

    /** The view's database. */
    public DataSource dataSource() {
        return loop.config().dataSource();
    }

    /** Kafka's consumer settings, complete. */
    public Map<String, Object> kafka() {
        return loop.config().kafka();
    }

    /** Kafka's id of a topic, as it was moments ago; null while that is not known. */
    public @Nullable String topicId(String topic) {
        return loop.topicId(topic);
    }

    /**
     * Has {@code listener} called whenever this instance has moved a partition's position, by the thread that has, which it
     * must not hold up. Takes the place of the listener before.
     */
    public void onCommit(Runnable listener) {
        loop.onCommit(listener);
    }
}

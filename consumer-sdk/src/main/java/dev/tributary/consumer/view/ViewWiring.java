package dev.tributary.consumer.view;

import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;

/** What the parts of this SDK that accompany a view need of it; not for applications. Thread-safe. */
public final class ViewWiring {
    private final ViewLoop loop;

    ViewWiring(ViewLoop loop) {
        this.loop = loop;
    }

    /** What the versions that are known here read. */
    public Set<String> topics() {
        return loop.topics();
    }

    /** Kafka's consumer settings, as the view was given them. */
    public Map<String, Object> kafka() {
        return loop.surroundings().kafka();
    }

    /** The view's database. */
    public DataSource dataSource() {
        return loop.surroundings().dataSource();
    }

    /**
     * Has {@code listener} called whenever this instance has moved a position of any version, by the thread that has, which
     * it must not hold up. Takes the place of the listener before.
     */
    public void onCommit(Runnable listener) {
        loop.onCommit(listener);
    }
}

package dev.tributary.relay.running;

import dev.tributary.relay.SourceStatus;
import java.util.List;

/** How every source of this process stands at the moment. Safe to call from any thread. */
@FunctionalInterface
public interface SourceStatuses {
    /** One for each source, in the order of their names. */
    List<SourceStatus> statuses();
}

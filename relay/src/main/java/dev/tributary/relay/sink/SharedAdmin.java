package dev.tributary.relay.sink;

import java.time.Duration;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/** One client for all who ask: an administrator has little to do, and a thread and connections all the same. Thread-safe. */
final class SharedAdmin {
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

    private final Supplier<Admin> made;
    private @Nullable Admin admin;
    private int users;

    SharedAdmin(Supplier<Admin> made) {
        this.made = made;
    }

    /** To be given back by {@link #leave}. */
    synchronized Admin join() {
        Admin shared = admin == null ? made.get() : admin;
        admin = shared;
        users++;
        return shared;
    }

    /** The last one closes it. */
    void leave() {
        Admin unused = left();
        if (unused != null) {
            unused.close(CLOSE_TIMEOUT); // without the lock: others need not wait
        }
    }

    private synchronized @Nullable Admin left() {
        Admin shared = admin;
        users--;
        if (users > 0) {
            return null;
        }
        admin = null;
        return shared;
    }
}

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

    /** To be undone by {@link #leave}. */
    synchronized void join() {
        admin();
        users++;
    }

    /** For those who have joined, to be asked for anew each time: another one may have taken its place. */
    synchronized Admin admin() {
        Admin shared = admin == null ? made.get() : admin;
        admin = shared;
        return shared;
    }

    /** Has all use another one from now on if the thread of {@code asked} has ended: by an error, as a client never says. */
    void replaceIfEnded(Admin asked) {
        // Whose thread has ended refuses at once; who lives takes the question, and its thread answers
        if (asked.describeCluster().clusterId().isCompletedExceptionally()) {
            replace(asked);
        }
    }

    /** Has all use another one from now on. */
    void replace(Admin asked) {
        if (isForgotten(asked)) {
            asked.close(CLOSE_TIMEOUT);
        }
    }

    private synchronized boolean isForgotten(Admin asked) {
        boolean current = admin == asked;
        if (current) {
            admin = null;
        }
        return current;
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

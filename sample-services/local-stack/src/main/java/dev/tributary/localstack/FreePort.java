package dev.tributary.localstack;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Finds ports for local servers. Between the moment when one is found and that when its server listens, nobody else must
 * find it: each JVM has blocks of ports to itself, held by listening on the first of each. Thread-safe.
 */
public final class FreePort {
    // Below every system's ephemeral range: while a server is down, no outgoing connection can take its port
    private static final int LOWEST = 15_000;
    private static final int BLOCKS = 170;
    private static final int BLOCK_PORTS = 100;
    private static final int ATTEMPTS_MAX = 200;

    /** Never closed. */
    private static @Nullable ServerSocket holder;

    private static int found;

    private FreePort() {}

    /** A port of 127.0.0.1 that nobody listens on, and that nobody else gets. */
    public static synchronized int next() {
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            int first = block();
            int port = first + ++found;
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("No free port on 127.0.0.1 from " + LOWEST + " on");
    }

    /** The first port of the block in use; of another one where that is used up. */
    private static int block() {
        if (holder != null && found < BLOCK_PORTS - 1) {
            return holder.getLocalPort();
        }
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            int first = LOWEST + BLOCK_PORTS * ThreadLocalRandom.current().nextInt(BLOCKS);
            ServerSocket socket = listening(first);
            if (socket != null) {
                holder = socket;
                found = 0;
                return first;
            }
        }
        throw new IllegalStateException("No free block of ports on 127.0.0.1 from " + LOWEST + " on");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = listening(port)) {
            return socket != null;
        } catch (IOException e) {
            return false;
        }
    }

    private static @Nullable ServerSocket listening(int port) {
        try {
            return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            return null;
        }
    }
}

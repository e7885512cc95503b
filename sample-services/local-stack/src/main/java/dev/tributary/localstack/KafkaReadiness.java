package dev.tributary.localstack;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

/** Waits until a broker serves clients. */
final class KafkaReadiness {
    private static final Duration STARTUP_MAX = Duration.ofSeconds(60);
    private static final long PAUSE_MS = 50;

    private KafkaReadiness() {}

    static void await(String host, int port, BooleanSupplier alive, Path log) {
        long deadline = System.nanoTime() + STARTUP_MAX.toNanos();
        try {
            // Kafka's client warns at every refused connection, so it only comes in once there is somebody to talk to
            while (!accepts(host, port)) {
                pause(deadline, alive, log);
            }
            try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, host + ":" + port))) {
                while (!hasBroker(admin)) {
                    pause(deadline, alive, log);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while waiting for Kafka", e);
        }
    }

    private static boolean accepts(String host, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 500);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasBroker(Admin admin) throws InterruptedException {
        try {
            return !admin.describeCluster().nodes().get(5, TimeUnit.SECONDS).isEmpty();
        } catch (ExecutionException | TimeoutException e) {
            return false;
        }
    }

    private static void pause(long deadline, BooleanSupplier alive, Path log) throws InterruptedException {
        if (!alive.getAsBoolean() || System.nanoTime() > deadline) {
            throw new IllegalStateException("Kafka did not start: " + LogFile.lastLines(log));
        }
        TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
    }
}

package dev.tributary.localstack;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;

final class KafkaReadiness {
    private static final int CONNECT_MS_MAX = 500;
    private static final int ANSWER_SECONDS_MAX = 5;

    private KafkaReadiness() {}

    /** Whether a broker at the port of this machine serves clients. */
    static boolean isReached(int port) {
        // Kafka's client warns at every refused connection, so it only comes in once there is somebody to talk to
        return accepts(port) && hasBroker(port);
    }

    private static boolean accepts(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MS_MAX);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean hasBroker(int port) {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + port))) {
            return !admin.describeCluster()
                    .nodes()
                    .get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS)
                    .isEmpty();
        } catch (ExecutionException | TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while waiting for Kafka", e);
        }
    }
}

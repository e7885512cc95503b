package dev.tributary.outbox;

import dev.tributary.localstack.LocalPostgres;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands between a client and the shared server and counts how often the server says that it is ready for the next query:
 * what a client waits for at the end of each round trip.
 */
final class RoundTrips implements AutoCloseable {
    private static final byte READY_FOR_QUERY = 'Z';

    private final ServerSocket listener;
    private final AtomicInteger ready = new AtomicInteger();

    RoundTrips() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    /** The same database, through here; without encryption, which could not be looked into. */
    String url(String url) {
        return url.replace(":" + LocalPostgres.shared().port() + "/", ":" + listener.getLocalPort() + "/")
                + "?sslmode=disable&gssEncMode=disable";
    }

    int count() {
        return ready.get();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // one of the two sides has closed
                    }
                },
                "round-trips");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket server = new Socket(
                    InetAddress.getLoopbackAddress(), LocalPostgres.shared().port());
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            start(() -> requests(client, server));
            start(() -> answers(client, server));
        }
    }

    private static void requests(Socket client, Socket server) throws IOException {
        try (client;
                server;
                InputStream from = client.getInputStream();
                OutputStream to = server.getOutputStream()) {
            from.transferTo(to);
        }
    }

    /** Message by message: a type, and a length that includes itself. */
    private void answers(Socket client, Socket server) throws IOException {
        try (client;
                server;
                DataInputStream from = new DataInputStream(server.getInputStream());
                DataOutputStream to = new DataOutputStream(client.getOutputStream())) {
            while (true) {
                byte type = from.readByte();
                int length = from.readInt();
                byte[] message = from.readNBytes(length - Integer.BYTES);
                if (type == READY_FOR_QUERY) {
                    ready.incrementAndGet(); // before the client can know
                }
                to.writeByte(type);
                to.writeInt(length);
                to.write(message);
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}

package dev.tributary.relay;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.Predicate;

/** A piece of network between a client and a server, which can be cut, or swallow what it should carry. */
final class TcpProxy implements AutoCloseable {
    private final ServerSocket listening;
    private final IntSupplier serverPort;
    private final List<Link> links = new CopyOnWriteArrayList<>();

    /** @param serverPort asked at each connection, so that the server may be started later */
    TcpProxy(IntSupplier serverPort) {
        this.serverPort = serverPort;
        try {
            listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        inBackground("proxy-accepting", this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Ends every connection, as a firewall that has lost its memory. */
    void cut() {
        links.forEach(Link::cut);
    }

    /** Swallows from now on what comes over connections whose client began with {@code text}; they stay open. */
    int silence(String text) {
        return silence(link -> link.beginning.contains(text));
    }

    /** The same, once the server has said {@code bytes} more. */
    int silenceAfter(int bytes, String text) {
        List<Link> chosen =
                links.stream().filter(link -> link.beginning.contains(text)).toList();
        chosen.forEach(link -> link.bytesLeft.set(bytes));
        return chosen.size();
    }

    int silence() {
        return silence(link -> true);
    }

    private int silence(Predicate<Link> which) {
        List<Link> silenced = links.stream().filter(which).toList();
        silenced.forEach(link -> link.silent = true);
        return silenced.size();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                links.add(new Link(listening.accept()));
            } catch (IOException e) {
                // Closed, or the server is away: the client sees its connection end
            }
        }
    }

    private static void inBackground(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private final class Link {
        private final Socket client;
        private final Socket server;
        private volatile String beginning = "";
        private final AtomicLong bytesLeft = new AtomicLong(Long.MAX_VALUE);
        private volatile boolean silent;

        Link(Socket client) throws IOException {
            this.client = client;
            try {
                this.server = new Socket(InetAddress.getLoopbackAddress(), serverPort.getAsInt());
            } catch (IOException e) {
                client.close();
                throw e;
            }
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            inBackground("proxy-to-server", () -> carry(client, server));
            inBackground("proxy-to-client", () -> carry(server, client));
        }

        private void carry(Socket from, Socket to) {
            byte[] bytes = new byte[64 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int length = in.read(bytes); length >= 0; length = in.read(bytes)) {
                    if (from == client) {
                        listen(new String(bytes, 0, Math.min(length, 1_000), StandardCharsets.ISO_8859_1));
                    } else if (bytesLeft.addAndGet(-length) < 0) {
                        silent = true;
                    }
                    if (!silent) {
                        out.write(bytes, 0, length);
                    }
                }
            } catch (IOException e) {
                // One side has gone: so has the other
            }
            if (!silent) {
                cut();
            }
        }

        private void listen(String said) {
            String before = beginning;
            if (before.length() < 1_000) {
                beginning = before + said;
            }
        }

        void cut() {
            links.remove(this);
            for (Socket socket : List.of(client, server)) {
                try {
                    socket.setSoLinger(true, 0); // as a reset
                    socket.close();
                } catch (IOException e) {
                    // It was closed
                }
            }
        }
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cut();
    }
}

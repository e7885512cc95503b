package dev.tributary.relay.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sockets for the driver that are read in large pieces. The server sends every message of the stream by itself, and the
 * driver looks for each by waiting at the socket for up to a millisecond: two thirds of the relay's CPU time under load. Here
 * that look costs nothing while something is there, and does not wait; who has nothing to do waits with {@link
 * ReadAheadSocket#await}, which also is what notices that the connection has ended.
 *
 * <p>The driver creates it by name. A key, given as its argument, leads to the socket that it made. Thread-safe.
 */
public final class ReadAheadSocketFactory extends SocketFactory {
    private static final int BUFFER_BYTES = 128 * 1024;
    /** The driver's way to say "if something is there": it sets this time-out, reads, and sets back the old one. */
    private static final int LOOK_TIMEOUT_MS = 1;

    static final Map<String, ReadAheadSocket> OPENED = new ConcurrentHashMap<>();

    private final String key;

    /** @param key names the socket to {@link #taken} */
    public ReadAheadSocketFactory(String key) {
        this.key = key;
    }

    /** The last socket made under {@code key}, which is forgotten here; null if there is none. */
    static @Nullable ReadAheadSocket taken(String key) {
        return OPENED.remove(key);
    }

    @Override
    public Socket createSocket() {
        ReadAheadSocket socket = new ReadAheadSocket();
        OPENED.put(key, socket);
        return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
        throw new UnsupportedOperationException("the driver connects the socket itself");
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
        throw new UnsupportedOperationException("the driver connects the socket itself");
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
        throw new UnsupportedOperationException("the driver connects the socket itself");
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort) {
        throw new UnsupportedOperationException("the driver connects the socket itself");
    }

    /** Reads ahead of its reader. */
    static final class ReadAheadSocket extends Socket {
        private @Nullable ReadAhead input;

        @Override
        public synchronized InputStream getInputStream() throws IOException {
            ReadAhead opened = input;
            if (opened == null) {
                opened = new ReadAhead(this, super.getInputStream());
                input = opened;
            }
            return opened;
        }

        /**
         * Waits until there is something to read, the connection has ended, or {@code millis} have passed.
         *
         * @throws EOFException if it had ended before: to the driver's looks an end is as if nothing were there
         * @throws IOException if it breaks
         */
        void await(int millis) throws IOException {
            ((ReadAhead) getInputStream()).await(millis);
        }
    }

    private static final class ReadAhead extends InputStream {
        private final Socket socket;
        private final InputStream in;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int start;
        private int end;
        private boolean ended;

        ReadAhead(Socket socket, InputStream in) {
            this.socket = socket;
            this.in = in;
        }

        synchronized void await(int millis) throws IOException {
            if (start < end) {
                return;
            }
            if (ended) {
                throw new EOFException("the server has closed the connection");
            }
            int timeout = socket.getSoTimeout();
            socket.setSoTimeout(millis);
            try {
                fill();
            } catch (SocketTimeoutException e) {
                // nothing came
            } finally {
                socket.setSoTimeout(timeout);
            }
        }

        @Override
        public synchronized int read(byte[] to, int offset, int length) throws IOException {
            if (start == end && length > 0) {
                if (!ended && socket.getSoTimeout() == LOOK_TIMEOUT_MS && in.available() == 0) {
                    throw new NothingThere();
                }
                if (!fill()) {
                    return -1;
                }
            }
            int count = Math.min(length, end - start);
            System.arraycopy(buffer, start, to, offset, count);
            start += count;
            return count;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        /** False at the end of the stream. */
        private boolean fill() throws IOException {
            int count = in.read(buffer, 0, buffer.length);
            start = 0;
            end = Math.max(count, 0);
            ended = count < 0;
            return !ended;
        }

        @Override
        public synchronized int available() throws IOException {
            return start < end ? end - start : in.available();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /** Thrown thousands of times a second, and caught by the driver: without a stack trace. */
    private static final class NothingThere extends SocketTimeoutException {
        NothingThere() {
            super("nothing to read");
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }
}

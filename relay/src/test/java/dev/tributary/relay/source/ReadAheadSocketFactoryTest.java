package dev.tributary.relay.source;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.SourceConfig.Engine;
import dev.tributary.relay.source.ReadAheadSocketFactory.ReadAheadSocket;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReadAheadSocketFactoryTest {
    private static final int LOOK_MS = 1;
    private static final int LONG_MS = 20_000;

    private ServerSocket listener;
    private Socket server;
    private ReadAheadSocket socket;
    private InputStream in;

    @BeforeEach
    void connect() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        new ReadAheadSocketFactory("test").createSocket();
        socket = ReadAheadSocketFactory.taken("test");
        socket.connect(new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()));
        server = listener.accept();
        in = socket.getInputStream();
        socket.setSoTimeout(LOOK_MS);
    }

    @AfterEach
    void disconnect() throws IOException {
        socket.close();
        server.close();
        listener.close();
    }

    @Test
    void aLookFindsNothingWhereNothingIs() {
        assertThatThrownBy(() -> in.read(new byte[10])).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void waitingEndsWhenSomethingComes() throws IOException {
        server.getOutputStream().write("hello".getBytes(US_ASCII));
        socket.await(LONG_MS);
        assertThat(in.available()).isEqualTo(5);
        assertThat(in.readNBytes(5)).isEqualTo("hello".getBytes(US_ASCII));
        assertThat(socket.getSoTimeout()).isEqualTo(LOOK_MS);
    }

    @Test
    void waitingEndsWithItsTime() throws IOException {
        socket.await(LOOK_MS);
        assertThat(in.available()).isZero();
    }

    @Test
    void whatIsReadAheadIsNotLostByWaiting() throws IOException {
        byte[] sent = new byte[1_000_000];
        new Random(1).nextBytes(sent);
        Thread writer = new Thread(() -> write(sent));
        writer.start();
        byte[] received = new byte[sent.length];
        int count = 0;
        while (count < sent.length) {
            socket.await(LONG_MS);
            count += in.read(received, count, Math.min(7_919, sent.length - count));
            socket.await(LOOK_MS);
        }
        assertThat(Arrays.equals(received, sent)).isTrue();
    }

    @Test
    void anEndedConnectionIsNoticedByWaiting() throws IOException {
        server.close();
        socket.await(LONG_MS);
        assertThat(in.read(new byte[10])).isEqualTo(-1);
    }

    /** To the driver's looks an end is as if nothing were there. */
    @Test
    void whoWaitsAtAnEndedConnectionHearsOfIt() throws IOException {
        server.close();
        socket.await(LONG_MS);
        assertThatThrownBy(() -> socket.await(LONG_MS)).isInstanceOf(EOFException.class);
    }

    @Test
    void anAttemptToConnectInVainLeavesNoSocketInMemory() throws Exception {
        Thread rejecting = new Thread(this::acceptAndClose);
        rejecting.start();
        String url =
                "jdbc:postgresql://127.0.0.1:" + listener.getLocalPort() + "/sales?sslmode=disable&gssEncMode=disable";
        SourceConfig source =
                new SourceConfig("in_vain", url, "relay", "", Engine.PGOUTPUT, "${source}.${aggregate_type}", 1);
        assertThatThrownBy(() -> new PgOutputSource(source, new Server("1", 1, 1, 1), 1, 1))
                .isInstanceOf(SQLException.class);
        rejecting.join();
        assertThat(ReadAheadSocketFactory.OPENED.keySet()).noneMatch(key -> key.startsWith(source.slot()));
    }

    private void acceptAndClose() {
        try {
            listener.accept().close();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aReadThatMayWaitDoes() throws IOException {
        socket.setSoTimeout(LONG_MS);
        Thread writer = new Thread(() -> write(new byte[] {42}));
        writer.start();
        assertThat(in.read()).isEqualTo(42);
    }

    private void write(byte[] bytes) {
        try {
            server.getOutputStream().write(bytes);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}

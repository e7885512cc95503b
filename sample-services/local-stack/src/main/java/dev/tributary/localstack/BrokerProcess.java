package dev.tributary.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** A KRaft broker, its own controller, in a JVM of its own: killing it is a real kill. */
final class BrokerProcess implements Server {
    /** Starts a third faster, with half the work; who measures throughput sets the property to TieredStopAtLevel=4. */
    private static final String COMPILER =
            "-XX:" + System.getProperty("tributary.stack.kafka.compiler", "TieredStopAtLevel=1");

    private static final Duration START_MAX = Duration.ofMinutes(2);
    private static final Duration STOP_MAX = Duration.ofSeconds(15);

    private final Path directory = Guardian.instance().newDirectory("kafka");
    private final int port = FreePort.next();
    private final Path configuration = directory.resolve("server.properties");
    private @Nullable JavaProcess process;

    BrokerProcess(Map<String, String> properties) {
        Properties all = new Properties();
        int controllerPort = FreePort.next();
        all.setProperty("process.roles", "broker,controller");
        all.setProperty("node.id", "1");
        all.setProperty("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
        all.setProperty("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
        all.setProperty("advertised.listeners", "PLAINTEXT://127.0.0.1:" + port);
        all.setProperty("controller.listener.names", "CONTROLLER");
        all.setProperty("log.dirs", directory.resolve("data").toString());
        all.putAll(properties);
        try (Writer writer = Files.newBufferedWriter(configuration)) {
            all.store(writer, null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public synchronized void start() {
        if (process != null && process.isAlive()) {
            return;
        }
        Path log = directory.resolve("broker.log");
        JavaProcess started = JavaProcess.main(BrokerMain.class)
                .jvmArgs(
                        "-Xmx512m", "-XX:+UseSerialGC", COMPILER, "-Dlogback.configurationFile=" + QuietLogging.LOGBACK)
                .args(configuration.toString())
                .output(log)
                .start();
        process = started;
        // Stops waiting for one that has died
        Polling.until(() -> !started.isAlive() || KafkaReadiness.isReached(port), START_MAX);
        if (!started.isAlive() || !KafkaReadiness.isReached(port)) {
            throw new IllegalStateException("Kafka did not start: " + LogFile.lastLines(log));
        }
    }

    @Override
    public synchronized void stop() {
        JavaProcess running = process;
        if (running != null) {
            running.terminate();
            if (!running.waitFor(STOP_MAX)) {
                running.kill();
            }
            process = null;
        }
    }

    @Override
    public synchronized void kill() {
        JavaProcess running = process;
        if (running != null) {
            running.kill();
            process = null;
        }
    }

    @Override
    public synchronized void pause() {
        running().pause();
    }

    @Override
    public synchronized void resume() {
        running().resume();
    }

    @Override
    public synchronized void close() {
        kill();
        Directories.delete(directory);
    }

    private JavaProcess running() {
        if (process == null) {
            throw new IllegalStateException("Kafka does not run: start it first");
        }
        return process;
    }
}

package dev.tributary.localstack;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** PostgreSQL's own binaries, unpacked from a jar. */
final class EmbeddedPostgresServer implements Server {
    private static final Duration STARTUP_MAX = Duration.ofMinutes(2);
    private static final Duration STOP_MAX = Duration.ofSeconds(10);

    private final Map<String, String> settings;
    private final Path directory = Guardian.instance().newDirectory("postgres");
    private final int port = FreePort.next();
    private @Nullable ProcessHandle postmaster;

    EmbeddedPostgresServer(Map<String, String> settings) {
        this.settings = settings;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    @SuppressWarnings("resource") // Stopped through its process: the library's stop gives up after 5 s
    public synchronized void start() {
        if (isRunning()) {
            return;
        }
        Redirect log = Redirect.appendTo(log().toFile());
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(Guardian.instance().directory().toFile())
                .setDataDirectory(data())
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setPGStartupWait(STARTUP_MAX)
                .setPort(port)
                .setOutputRedirector(log)
                .setErrorRedirector(log);
        settings.forEach(builder::setServerConfig);
        // TCP only, and shared memory in the data directory: a killed server leaves nothing in /tmp or /dev/shm
        builder.setServerConfig("unix_socket_directories", "").setServerConfig("dynamic_shared_memory_type", "mmap");
        try {
            // The library keeps its lock until a close() that insists on stopping the server by itself
            Files.deleteIfExists(data().resolve("epg-lock"));
            builder.start();
            ProcessHandle started = ProcessHandle.of(pidInFile()).orElseThrow();
            Guardian.instance().quitAfterUs(started);
            postmaster = started;
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL did not start: " + LogFile.lastLines(log()), e);
        }
    }

    @Override
    public synchronized void stop() {
        ProcessHandle running = postmaster;
        if (running == null || !running.isAlive()) {
            return;
        }
        // A fast shutdown waits for replication clients to take everything: not for ever here
        Signals.interrupt(running);
        if (!Signals.awaitEnd(running, STOP_MAX)) {
            Signals.quit(running);
            if (!Signals.awaitEnd(running, STOP_MAX)) {
                kill();
            }
        }
        postmaster = null;
    }

    @Override
    public synchronized void kill() {
        ProcessHandle running = postmaster;
        if (running != null) {
            Signals.kill(Signals.tree(running));
            postmaster = null;
            clearAwayTheDead();
        }
    }

    @Override
    public synchronized void pause() {
        List<ProcessHandle> processes = tree();
        // A frozen child does not notice that its parent has gone
        processes.stream().skip(1).forEach(Guardian.instance()::killAfterUs);
        Signals.stop(processes);
    }

    @Override
    public synchronized void resume() {
        List<ProcessHandle> processes = tree();
        Signals.resume(processes);
        processes.stream().skip(1).forEach(Guardian.instance()::forget);
    }

    @Override
    public synchronized void close() {
        if (isRunning()) {
            resume();
            stop();
        }
        Directories.delete(directory);
    }

    private List<ProcessHandle> tree() {
        if (postmaster == null) {
            throw new IllegalStateException("PostgreSQL does not run: start it first");
        }
        return Signals.tree(postmaster);
    }

    private boolean isRunning() {
        return postmaster != null && postmaster.isAlive();
    }

    private Path data() {
        return directory.resolve("data");
    }

    private long pidInFile() throws IOException {
        return Long.parseLong(Files.readAllLines(pidFile()).get(0).strip());
    }

    /** What a new server would wait for, or the system would keep for ever if there is no new server. */
    private void clearAwayTheDead() {
        try {
            // Line 7: key and id of the shared memory segment that shows who uses the data directory
            List<String> lines = Files.readAllLines(pidFile());
            if (lines.size() > 6) {
                String segment = lines.get(6).strip();
                Shell.run("ipcrm -m " + segment.substring(segment.lastIndexOf(' ') + 1));
            }
            Files.deleteIfExists(pidFile());
        } catch (NoSuchFileException e) {
            // it ended by itself, and has cleared up
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path log() {
        return directory.resolve("postgres.log");
    }

    private Path pidFile() {
        return data().resolve("postmaster.pid");
    }
}

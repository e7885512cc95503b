package dev.tributary.localstack;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Ends this JVM's child processes and removes its directory once this JVM is gone, however it went.
 *
 * <p>A shutdown hook does not survive {@code kill -9}, so a small shell waits for the end of the pipe from this JVM. It
 * keeps the last line it was sent, this JVM's will. On Windows, where that shell is missing, a shutdown hook has to do.
 */
final class Guardian {
    /**
     * Postgres is asked to quit, so that it gives back its shared memory; what does not quit within 5 s is killed. A
     * zombie has ended, though its new parent has not taken note yet.
     */
    private static final String EXECUTE_THE_WILL = """
            trap '' HUP INT QUIT TERM
            while IFS='|' read -r k q; do kills=$k; quits=$q; done
            for p in $kills; do kill -KILL $p; done
            for p in $quits; do kill -CONT $p; kill -QUIT $p; done
            for p in $quits; do
              i=0
              while kill -0 $p && ! grep '^State:.Z' /proc/$p/status && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
              kill -KILL $p
            done
            rm -rf "$1"
            """;

    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    private static final class Lazy {
        static final Guardian INSTANCE = new Guardian();
    }

    private final Path directory;
    private final Set<Long> toKill = new TreeSet<>();
    private final Set<Long> toQuit = new TreeSet<>();
    private final OutputStream will;

    private Guardian() {
        try {
            directory = Files.createTempDirectory("tributary-");
            will = WINDOWS ? OutputStream.nullOutputStream() : startShell();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (WINDOWS) {
            Runtime.getRuntime().addShutdownHook(new Thread(this::executeTheWill, "guardian"));
        }
    }

    static Guardian instance() {
        return Lazy.INSTANCE;
    }

    /** A new directory, gone when this JVM is gone at the latest. */
    Path newDirectory(String name) {
        try {
            return Files.createTempDirectory(directory, name + "-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The directory under which {@link #newDirectory} makes its own. */
    Path directory() {
        return directory;
    }

    /** Has the process killed after this JVM's end. */
    synchronized void killAfterUs(ProcessHandle process) {
        toKill.add(process.pid());
        write();
        forgetAtItsEnd(process);
    }

    /** Has the process sent SIGQUIT, and be waited for, after this JVM's end. */
    synchronized void quitAfterUs(ProcessHandle process) {
        toQuit.add(process.pid());
        write();
        forgetAtItsEnd(process);
    }

    /** The process is to be left alone: it has ended, and its id may soon be another's. */
    synchronized void forget(ProcessHandle process) {
        toKill.remove(process.pid());
        toQuit.remove(process.pid());
        write();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // Nobody waits for this
    private void forgetAtItsEnd(ProcessHandle process) {
        process.onExit().thenRun(() -> forget(process));
    }

    private OutputStream startShell() throws IOException {
        return new ProcessBuilder("sh", "-c", EXECUTE_THE_WILL, "tributary-guardian", directory.toString())
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start()
                .getOutputStream();
    }

    private void write() {
        String line = join(toKill) + "|" + join(toQuit) + "\n";
        try {
            will.write(line.getBytes(StandardCharsets.US_ASCII));
            will.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("The guardian has gone: child processes may outlive this JVM", e);
        }
    }

    private static String join(Set<Long> pids) {
        return pids.stream().map(String::valueOf).collect(Collectors.joining(" "));
    }

    private synchronized void executeTheWill() {
        toQuit.addAll(toKill);
        toQuit.forEach(pid -> ProcessHandle.of(pid).ifPresent(process -> {
            process.destroyForcibly();
            process.onExit().join();
        }));
        Directories.delete(directory);
    }
}

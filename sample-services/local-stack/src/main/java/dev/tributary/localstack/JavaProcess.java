package dev.tributary.localstack;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A JVM as a child of this one, which it cannot outlive, however this one ends. Thread-safe. */
public final class JavaProcess implements AutoCloseable {
    private static final Duration KILL_MAX = Duration.ofSeconds(30);

    /** For what was written and not read yet when it ended; its own children may keep the pipe open. */
    private static final Duration REST_MAX = Duration.ofSeconds(10);

    private final Process process;
    private final @Nullable Thread reader;

    private JavaProcess(Process process, @Nullable Thread reader) {
        this.process = process;
        this.reader = reader;
    }

    /** A child that runs {@code java -jar}. */
    public static Builder jar(Path jar) {
        return new Builder(List.of("-jar", jar.toAbsolutePath().toString()));
    }

    /** A child that runs a main class on this JVM's own class path. */
    public static Builder main(String mainClass) {
        return new Builder(List.of("-cp", System.getProperty("java.class.path"), mainClass));
    }

    public static Builder main(Class<?> mainClass) {
        return main(mainClass.getName());
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL; returns once it is gone. */
    public void kill() {
        process.destroyForcibly();
        if (!waitFor(KILL_MAX)) {
            throw new IllegalStateException("Process " + pid() + " survived SIGKILL for " + KILL_MAX);
        }
    }

    /** SIGTERM; returns at once. Its last words are still read. */
    public void terminate() {
        process.toHandle().destroy(); // the process' own method closes the pipe
    }

    /** SIGSTOP: it stays, but does nothing. */
    public void pause() {
        Signals.stop(List.of(process.toHandle()));
    }

    /** SIGCONT: undoes {@link #pause}. */
    public void resume() {
        Signals.resume(List.of(process.toHandle()));
    }

    /** Whether it has ended within the time; if so, its last line has been handed on. */
    public boolean waitFor(Duration timeout) {
        try {
            boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (ended && reader != null) {
                reader.join(REST_MAX.toMillis());
            }
            return ended;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while waiting for process " + pid(), e);
        }
    }

    /** As the shell would tell it: 128 + n after signal n. Throws {@link IllegalThreadStateException} if it still runs. */
    public int exitCode() {
        return process.exitValue();
    }

    /** Same as {@link #kill}. */
    @Override
    public void close() {
        kill();
    }

    /** Collects what {@link #start} needs. Not thread-safe. */
    public static final class Builder {
        private final List<String> program;
        private final List<String> arguments = new ArrayList<>();
        private final List<String> jvmArguments = new ArrayList<>();
        private final ProcessBuilder builder = new ProcessBuilder().redirectErrorStream(true);
        private @Nullable Consumer<String> lines;

        private Builder(List<String> program) {
            this.program = program;
            builder.redirectOutput(Redirect.DISCARD);
        }

        public Builder args(String... more) {
            arguments.addAll(List.of(more));
            return this;
        }

        public Builder jvmArgs(String... more) {
            jvmArguments.addAll(List.of(more));
            return this;
        }

        public Builder env(String name, String value) {
            return env(Map.of(name, value));
        }

        public Builder env(Map<String, String> more) {
            builder.environment().putAll(more);
            return this;
        }

        /** Its working directory; this JVM's if not set. */
        public Builder directory(Path directory) {
            builder.directory(directory.toFile());
            return this;
        }

        /** Appends what it writes, errors too, to a file. Without any of the three {@code output}s it is lost. */
        public Builder output(Path file) {
            builder.redirectOutput(Redirect.appendTo(file.toFile()));
            return this;
        }

        /** Hands on every line it writes, errors too, from a thread of its own. */
        public Builder output(Consumer<String> eachLine) {
            builder.redirectOutput(Redirect.PIPE);
            lines = eachLine;
            return this;
        }

        /** Mixes what it writes into this JVM's own output. */
        public Builder outputHere() {
            builder.redirectOutput(Redirect.INHERIT).redirectError(Redirect.INHERIT);
            builder.redirectErrorStream(false);
            return this;
        }

        public JavaProcess start() {
            List<String> command = new ArrayList<>();
            command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
            // A killed JVM leaves its temporary files (unpacked native libraries): they go with ours
            command.add("-Djava.io.tmpdir=" + Guardian.instance().directory());
            command.addAll(jvmArguments);
            command.addAll(program);
            command.addAll(arguments);
            try {
                Process process = builder.command(command).start();
                Guardian.instance().killAfterUs(process.toHandle());
                return new JavaProcess(process, lines == null ? null : forward(process, lines));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Thread forward(Process process, Consumer<String> eachLine) {
            Thread reader = new Thread(() -> copyLines(process, eachLine), "output-of-" + process.pid());
            reader.setDaemon(true);
            reader.start();
            return reader;
        }

        private static void copyLines(Process process, Consumer<String> eachLine) {
            try (BufferedReader output = process.inputReader()) {
                output.lines().forEach(eachLine);
            } catch (IOException | UncheckedIOException e) {
                eachLine.accept("(output ends: " + e.getMessage() + ")");
            }
        }
    }
}

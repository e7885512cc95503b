package dev.tributary.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Signals that the JDK cannot send itself. */
final class Signals {
    private Signals() {}

    static void stop(List<ProcessHandle> processes) {
        send("STOP", processes);
    }

    static void resume(List<ProcessHandle> processes) {
        send("CONT", processes);
    }

    static void interrupt(ProcessHandle process) {
        send("INT", List.of(process));
    }

    static void quit(ProcessHandle process) {
        send("QUIT", List.of(process));
    }

    /** The process and everything below it; the process itself first. */
    static List<ProcessHandle> tree(ProcessHandle root) {
        return Stream.concat(Stream.of(root), root.descendants()).toList();
    }

    /** Kills all of them and returns once they are gone. */
    static void kill(List<ProcessHandle> processes) {
        processes.forEach(ProcessHandle::destroyForcibly);
        processes.forEach(
                process -> process.onExit().orTimeout(10, TimeUnit.SECONDS).join());
    }

    private static void send(String signal, List<ProcessHandle> processes) {
        // The shell's own kill: a separate one is missing from slim systems. A process may have ended by itself
        String pids = processes.stream().map(p -> String.valueOf(p.pid())).collect(Collectors.joining(" "));
        try {
            new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pids)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while sending SIG" + signal, e);
        }
    }
}

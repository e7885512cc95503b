package dev.tributary.localstack;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Signals that the JDK cannot send itself. */
final class Signals {
    private static final Duration KILL_MAX = Duration.ofSeconds(30);

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
        for (ProcessHandle process : processes) {
            if (!awaitEnd(process, KILL_MAX)) {
                throw new IllegalStateException("Process " + process.pid() + " survived SIGKILL for " + KILL_MAX);
            }
        }
    }

    /** Whether the process has ended within the time. */
    static boolean awaitEnd(ProcessHandle process, Duration timeout) {
        // onExit() looks after a process that is not our child so rarely that it is seconds late
        return Polling.until(() -> !runs(process), timeout);
    }

    private static boolean runs(ProcessHandle process) {
        return process.isAlive() && !isZombie(process);
    }

    /**
     * Whether it has ended, but its new parent, which may be slow, has not taken note. Known on Linux only.
     *
     * <p>Right for processes with one thread, as PostgreSQL's are: else only the first thread may have ended.
     */
    private static boolean isZombie(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc", String.valueOf(process.pid()), "stat"));
            return stat.startsWith("Z", stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return false;
        }
    }

    private static void send(String signal, List<ProcessHandle> processes) {
        // The shell's own kill: a separate one is missing from slim systems. A process may have ended by itself
        String pids = processes.stream().map(p -> String.valueOf(p.pid())).collect(Collectors.joining(" "));
        Shell.run("kill -" + signal + " " + pids);
    }
}

package dev.tributary.relay.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;

/** Says how to go on with what a signal ends (Ctrl-C, SIGTERM), from when it is made until it is withdrawn. */
final class StopHint {
    private static final Pattern PLAIN = Pattern.compile("[\\w@%+=:,./-]+");

    private final Thread hook;
    private volatile boolean withdrawn;

    private StopHint(PrintWriter err, String hint) {
        hook = new Thread(() -> print(err, hint), "relay-stop-hint");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** @param arguments the relay's, with which to go on */
    static StopHint onSignal(CommandSpec command, List<String> arguments) {
        return new StopHint(
                command.commandLine().getErr(),
                "stopped; go on with: " + command.root().name() + ' ' + shell(arguments));
    }

    /** As a shell takes them. */
    static String shell(List<String> arguments) {
        return arguments.stream()
                .map(argument ->
                        PLAIN.matcher(argument).matches() ? argument : "'" + argument.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    private void print(PrintWriter err, String hint) {
        if (!withdrawn) {
            err.println(); // a progress bar may be on the line, or ^C
            err.println(hint);
            err.flush();
        }
    }

    /** Says nothing any more. */
    void withdraw() {
        withdrawn = true;
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // a signal came just now: the hook has run, or sees that there is nothing to go on with
        }
    }
}

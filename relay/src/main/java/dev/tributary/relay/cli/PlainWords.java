package dev.tributary.relay.cli;

import dev.tributary.relay.config.ConfigurationException;
import dev.tributary.relay.http.HttpApiException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Turns what users can mend into a message and an exit code; only a bug has a stack trace. */
final class PlainWords implements IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(Exception e, CommandLine commandLine, ParseResult parsed) {
        PrintWriter err = commandLine.getErr();
        if (e instanceof ConfigurationException configuration) {
            int count = configuration.mistakes().size();
            err.println("The configuration has " + (count == 1 ? "a mistake:" : count + " mistakes:"));
            configuration.mistakes().forEach(mistake -> err.println("  " + mistake));
            err.flush();
            return ExitCode.USAGE;
        }
        if (e instanceof HttpApiException) {
            err.println("The relay " + e.getMessage());
        } else {
            err.println("This is a bug in the relay; please report it:");
            e.printStackTrace(err);
        }
        err.flush();
        return ExitCode.SOFTWARE;
    }
}

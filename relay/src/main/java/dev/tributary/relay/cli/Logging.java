package dev.tributary.relay.cli;

import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.ExitCode;

/**
 * Decides what the log looks like, before anything logs: lines for people, or JSON with {@code RELAY_LOG=json}. Commands
 * other than {@code run} talk through their output alone.
 */
final class Logging {
    private static final String FORMAT = "RELAY_LOG";
    private static final String PLAIN = "plain";
    private static final String JSON = "json";
    private static final String LOGBACK_FILE = "logback.configurationFile";
    private static final String LEVEL = "relay.log.level";

    /** Held, since java.util.logging forgets the level of a logger that nobody holds. */
    private static final Logger POSTGRESQL = Logger.getLogger("org.postgresql");

    private Logging() {}

    /** Complains about an unknown format; returns the exit code. */
    static int problem(Map<String, String> environment) {
        String format = environment.getOrDefault(FORMAT, PLAIN);
        if (format.equals(PLAIN) || format.equals(JSON)) {
            return ExitCode.OK;
        }
        System.err.println("The environment variable " + FORMAT + " must be plain or json, not '" + format + "'");
        return ExitCode.USAGE;
    }

    /** Somebody who names a logback file of their own gets that. */
    static void choose(Map<String, String> environment, boolean running) {
        POSTGRESQL.setLevel(Level.OFF);
        setIfAbsent(LEVEL, running ? "INFO" : "OFF");
        setIfAbsent(LOGBACK_FILE, "dev/tributary/relay/logback-" + environment.getOrDefault(FORMAT, PLAIN) + ".xml");
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}

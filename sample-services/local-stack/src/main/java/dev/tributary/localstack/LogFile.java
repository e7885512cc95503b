package dev.tributary.localstack;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

final class LogFile {
    private static final int LINES_MAX = 30;

    private LogFile() {}

    /** The end of a server's log, for an error message: the file itself is soon gone. */
    static String lastLines(Path log) {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES_MAX), lines.size()));
        } catch (IOException e) {
            return "no log at " + log;
        }
    }
}

package dev.tributary.localstack;

import java.io.IOException;

/** Runs commands of the operating system that may not be there, or not be allowed. */
public final class SystemCommand {
    private SystemCommand() {}

    /** Whether it could be run and ended well; what it prints is passed over. Waits for it. */
    public static boolean succeeds(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}

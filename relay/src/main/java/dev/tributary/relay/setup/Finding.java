package dev.tributary.relay.setup;

/**
 * One thing that was looked at.
 *
 * @param severity whether it is in order
 * @param subject what was looked at, in a word or two
 * @param message how it is, in plain words
 * @param remedy what to do about it; empty when nothing is needed
 */
public record Finding(Severity severity, String subject, String message, String remedy) {

    /** How bad it is. */
    public enum Severity {
        OK,
        /** The relay works, and will hurt somebody one day. */
        WARNING,
        /** The relay cannot work, or could not keep its promises. */
        FAILED
    }

    static Finding ok(String subject, String message) {
        return new Finding(Severity.OK, subject, message, "");
    }

    static Finding warning(String subject, String message, String remedy) {
        return new Finding(Severity.WARNING, subject, message, remedy);
    }

    static Finding failed(String subject, String message, String remedy) {
        return new Finding(Severity.FAILED, subject, message, remedy);
    }

    public boolean isFailure() {
        return severity == Severity.FAILED;
    }
}

package dev.tributary.localstack;

final class QuietLogging {
    /** A Logback configuration on the class path, for processes of ours: warnings and errors, to standard output. */
    static final String LOGBACK = "dev/tributary/localstack/quiet-logback.xml";

    private QuietLogging() {}
}

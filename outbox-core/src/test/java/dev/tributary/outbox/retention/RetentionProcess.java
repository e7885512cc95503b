package dev.tributary.outbox.retention;

import dev.tributary.localstack.LocalPostgres;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;

/** Retention in a JVM of its own, which can be frozen and killed. Its partitions are seconds wide. */
final class RetentionProcess {
    /** For how long a step of it may hold up writers. */
    static final Duration PAUSE = Duration.ofSeconds(2);

    private RetentionProcess() {}

    /** Takes turns in the database whose URL is the first argument, until it is killed. */
    public static void main(String[] args) throws SQLException, InterruptedException {
        RetentionSettings settings = new RetentionSettings(Duration.ofSeconds(1), Duration.ofSeconds(1), 5, PAUSE);
        OutboxRetention retention = new OutboxRetention(
                () -> DriverManager.getConnection(args[0], LocalPostgres.USER, LocalPostgres.PASSWORD), settings);
        while (true) {
            retention.turn();
            Thread.sleep(settings.turnInterval().toMillis());
        }
    }
}

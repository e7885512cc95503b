package dev.tributary.outbox.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tributary.outbox.retention.RetentionThread.Account;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class RetentionThreadTest {
    private final List<String> told = new CopyOnWriteArrayList<>();

    @Test
    void anErrorIsToldAndNotTheEnd() {
        RetentionSettings settings = new RetentionSettings(
                Duration.ofMinutes(1), Duration.ofSeconds(1), 1, RetentionSettings.DEFAULT_PAUSE_MAX);
        Account account = new Account() {
            @Override
            public void trouble(String sentences) {
                told.add(sentences);
            }

            @Override
            public void worksAgain() {}
        };
        try (RetentionThread retention = RetentionThread.start("retention", this::fail, settings, account)) {
            await().until(() -> told.size() == 2);
            assertThat(told.get(0)).contains("NoClassDefFoundError: driver");
            assertThat(told.get(1)).contains("it failed: away.");
            assertThat(retention.status().trouble()).contains("away");
        }
    }

    private java.sql.Connection fail() throws SQLException {
        if (told.isEmpty()) {
            throw new NoClassDefFoundError("driver");
        }
        throw new SQLException("away");
    }
}

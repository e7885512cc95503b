package dev.tributary.outbox.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What lasts: a relay that is away for days, a default partition that is too large. */
class RetentionHardshipTest {
    private static final Duration WINDOW = Duration.ofHours(3);
    private static final RetentionSettings SETTINGS =
            new RetentionSettings(WINDOW, Duration.ofHours(1), 2, Duration.ofSeconds(20));

    private RetentionBed bed;

    @BeforeEach
    void open() throws SQLException {
        bed = RetentionBed.create();
    }

    @AfterEach
    void close() throws SQLException {
        bed.close();
    }

    @Test
    void whileTheRelayIsAwayForDaysAServiceDropsNothingAndTheWarningGrows() throws SQLException {
        OutboxRetention retention = bed.start(SETTINGS);
        RetentionStatus before = RetentionStatus.UNKNOWN;
        for (int day = 1; day <= 4; day++) {
            for (int i = 0; i < 8; i++) {
                retention.turn();
                bed.write();
                bed.hours(3);
                retention.turn();
            }
            RetentionStatus now = retention.turn();
            assertThat(bed.rows()).isEqualTo(8 * day);
            assertThat(now.trouble()).isEqualTo("not confirmed yet by " + bed.slot());
            assertThat(now.remedy()).contains("start the relay");
            assertThat(now.overdue()).isGreaterThanOrEqualTo(before.overdue().plusHours(20));
            assertThat(now.outboxBytes()).isGreaterThan(before.outboxBytes());
            before = now;
        }
        bed.confirm();
        for (int i = 0; i < 3; i++) {
            bed.hours(2);
            retention.turn();
            bed.confirm();
        }
        assertThat(bed.rows()).as("but for the last events").isEqualTo(1);
        assertThat(retention.turn().overdue()).isZero();
    }

    @Test
    void aDefaultPartitionThatTakesTooLongNamesTheSettingAndRaisingItHelps() throws Exception {
        bed.write(); // nobody has made partitions
        OutboxRetention impatient =
                bed.start(new RetentionSettings(WINDOW, Duration.ofHours(1), 2, Duration.ofMillis(300)));
        try (Connection reader = bed.connect()) {
            reader.setAutoCommit(false);
            // Looking through it takes as long as this is open, as far as the step can tell
            RetentionBed.execute(reader, "LOCK TABLE tributary.outbox_default IN ACCESS SHARE MODE");
            RetentionStatus held = impatient.turn();
            assertThat(held.partitions()).isZero();
            assertThat(held.trouble()).contains("longer than 300 ms").contains("the default partition");
            assertThat(held.remedy()).contains("set retention.pause.max for once");
            bed.write();
            assertThat(impatient.turn().trouble()).as("not tried all the time").isEqualTo(held.trouble());
            impatient.close();

            OutboxRetention patient = bed.start(SETTINGS);
            CompletableFuture<RetentionStatus> turn = CompletableFuture.supplyAsync(() -> {
                try {
                    return patient.turn();
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            await().until(() -> bed.waiting("ATTACH PARTITION"));
            reader.rollback();
            assertThat(turn.get(60, TimeUnit.SECONDS).partitions()).isEqualTo(2);
            assertThat(turn.get().trouble()).isEmpty();
        }
        assertThat(bed.rows()).isEqualTo(2);
    }

    @Test
    void withoutMemoryOfWhatItDropsItDropsNothing() throws SQLException {
        bed.execute("DROP TABLE tributary.outbox_dropped");
        prepareSealed();
        bed.hours(4);
        bed.watched();
        OutboxRetention retention = bed.start(SETTINGS);
        assertThatThrownBy(retention::turn).hasMessageContaining("outbox_dropped");
        assertThat(bed.rows()).isEqualTo(2);
    }

    /** Two partitions with events, which are sealed, confirmed and watched. */
    private void prepareSealed() throws SQLException {
        try (OutboxRetention healthy = bed.start(SETTINGS)) {
            for (int hour = 0; hour < 2; hour++) {
                healthy.turn();
                bed.write();
                bed.hours(1);
            }
            healthy.turn();
            healthy.turn();
            bed.confirm();
            healthy.turn();
        }
    }
}

package dev.tributary.consumer.progress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.consumer.ConsumerSchema;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FreshnessStoreTest {
    private static final long FIRST = 29_000_000;
    private final LocalPostgres postgres = LocalPostgres.shared();
    private final String url = postgres.createDatabase("freshness");
    private final FreshnessStore store = new FreshnessStore("customers");
    private Connection connection;

    @BeforeEach
    void connect() throws SQLException {
        connection = postgres.connect(url);
        ConsumerSchema.apply(connection);
        ConsumerSchema.apply(connection);
    }

    @AfterEach
    void drop() throws SQLException {
        connection.close();
        postgres.dropDatabase(url);
    }

    @Test
    void theBudgetOfThirtyDaysIsUsedUpByBadMinutes() throws SQLException {
        FreshnessObjective objective = FreshnessObjective.ofDefaults();
        assertThat(objective.badMinutesMax()).isCloseTo(43.2, within(1e-6));
        assertThat(budget(objective, FIRST + 10)).isNull();

        long days = Duration.ofDays(30).toMinutes();
        goodMinutes(FIRST, FIRST + days + 1);
        ErrorBudget all = budget(objective, FIRST + days + 1);
        assertThat(all.minutes()).isEqualTo(days);
        assertThat(all.badMinutes()).isZero();
        assertThat(all.remaining()).isEqualTo(1);
        assertThat(all.burnLastHour()).isZero();

        // Of the last hour two minutes are bad, one by a second and one without a row; four more of the last six hours
        long end = FIRST + days + 1;
        set(end - 10, GoodSeconds.ALL & ~1);
        delete(end - 59);
        for (long minute : new long[] {61, 62, 63, 360}) {
            set(end - minute, 0);
        }
        set(end - 361, 0); // in the window only
        ErrorBudget used = budget(objective, end);
        assertThat(used.badMinutes()).isEqualTo(7);
        assertThat(used.remaining()).isCloseTo(1 - 7 / 43.2, within(1e-6));
        assertThat(used.burnLastHour()).isCloseTo(2 / 60.0 / 0.001, within(1e-6));
        assertThat(used.burnLastSixHours()).isCloseTo(6 / 360.0 / 0.001, within(1e-6));
    }

    @Test
    void minutesWithoutAnyReportAreBadFromTheFirstOneOn() throws SQLException {
        goodMinutes(FIRST, FIRST + 10);
        ErrorBudget budget = budget(FreshnessObjective.ofDefaults(), FIRST + 100);
        assertThat(budget.minutes()).isEqualTo(99);
        assertThat(budget.badMinutes()).isEqualTo(90);
        assertThat(budget.remaining()).isLessThan(0);
        assertThat(budget.burnLastHour()).isCloseTo(1_000, within(1e-6));
    }

    @Test
    void theMinuteInWhichRecordingBeganDoesNotCount() throws SQLException {
        store.record(connection, "sales", Map.of(FIRST, 1L << 59));
        goodMinutes(FIRST + 1, FIRST + 3);
        assertThat(budget(FreshnessObjective.ofDefaults(), FIRST + 3).badMinutes())
                .isZero();
    }

    @Test
    void instancesAddWhatEachOfThemKnows() throws SQLException {
        goodMinutes(FIRST, FIRST + 1);
        store.record(connection, "sales", Map.of(FIRST + 1, 0xf0f0f0f0f0f0f0fL));
        assertThat(budget(FreshnessObjective.ofDefaults(), FIRST + 2).badMinutes())
                .isEqualTo(1);
        store.record(connection, "sales", Map.of(FIRST + 1, GoodSeconds.ALL & ~0xf0f0f0f0f0f0f0fL));
        store.record(connection, "sales", Map.of(FIRST + 1, 0L)); // one that knew nothing
        assertThat(budget(FreshnessObjective.ofDefaults(), FIRST + 2).badMinutes())
                .isZero();
    }

    @Test
    void whatTheWindowDoesNotReachIsRemovedAndOthersAreLeftAlone() throws SQLException {
        goodMinutes(FIRST, FIRST + 100);
        new FreshnessStore("others").record(connection, "sales", Map.of(FIRST, 1L));
        store.record(connection, "fulfilment", Map.of(FIRST, 1L));
        store.prune(connection, "sales", FIRST + 90);
        assertThat(rows()).isEqualTo(12);
    }

    @Test
    void anObjectiveThatCannotBeIsRefused() {
        Duration age = Duration.ofSeconds(2);
        Duration window = Duration.ofDays(1);
        assertThatThrownBy(() -> new FreshnessObjective(age, 99.9, window))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("such as 0.999");
        assertThatThrownBy(() -> new FreshnessObjective(Duration.ofMillis(10), 0.9, window))
                .hasMessageContaining("at least 1 s");
        assertThatThrownBy(() -> new FreshnessObjective(age, 0.9, Duration.ofMinutes(5)))
                .hasMessageContaining("at least an hour");
    }

    private ErrorBudget budget(FreshnessObjective objective, long end) throws SQLException {
        return store.budget(connection, "sales", objective, end);
    }

    private void goodMinutes(long from, long to) throws SQLException {
        Map<Long, Long> minutes = new TreeMap<>();
        for (long minute = from; minute < to; minute++) {
            minutes.put(minute, GoodSeconds.ALL);
        }
        store.record(connection, "sales", minutes);
    }

    private void set(long minute, long bits) throws SQLException {
        delete(minute);
        store.record(connection, "sales", Map.of(minute, bits));
    }

    private void delete(long minute) throws SQLException {
        connection
                .createStatement()
                .execute("DELETE FROM tributary.view_freshness WHERE minute = to_timestamp(" + minute * 60 + ")");
    }

    private int rows() throws SQLException {
        var row = connection.createStatement().executeQuery("SELECT count(*) FROM tributary.view_freshness");
        row.next();
        return row.getInt(1);
    }
}

package dev.tributary.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.SourceConfig.Poison;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.source.PostgresDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One transaction (before, poison, behind, of one aggregate) that comes again after a crash, and a later one. */
class PoisonEventsTest {
    private static final long CONFIRMED = 0x800;
    /** Where a commit record begins, as pgoutput tells. */
    private static final long START = 0x1000;
    /** Its last byte, as Debezium tells. */
    private static final long END = 0x1087;

    private static final long LATER = 0x2000;

    private final UUID before = new UUID(1, 1);
    private final UUID poison = new UUID(1, 2);
    private final UUID behind = new UUID(1, 3);
    private SourceConfig config;
    private PostgresDatabase database;

    @BeforeEach
    void open() throws SQLException {
        String url = LocalPostgres.shared().createDatabase("poison");
        config = new SourceConfig(
                        "poison",
                        url,
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD,
                        SourceConfig.Engine.PGOUTPUT,
                        "${source}.${aggregate_type}",
                        1)
                .withPoison(Poison.DEAD_LETTER);
        try (Connection connection = LocalPostgres.shared().connect(url)) {
            OutboxSchema.apply(connection);
        }
        database = new PostgresDatabase(config);
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
        LocalPostgres.shared().dropDatabase(config.url());
    }

    @ParameterizedTest
    @ValueSource(longs = {START, END})
    void whatIsSetAsideStaysSoWhicheverEngineReadsItAgain(long again) throws SQLException {
        for (long first : List.of(START, END)) {
            try (Statement statement = database.connection().createStatement()) {
                statement.execute("TRUNCATE tributary.dead_letter");
            }
            setAside(first);

            PoisonEvents next = loaded();
            assertThat(next.aggregates()).isOne();
            assertThat(keeps(next, before, again, 0)).as("comes before it").isFalse();
            assertThat(keeps(next, poison, again, 1)).isTrue();
            assertThat(keeps(next, behind, again, 2)).isTrue();
            assertThat(keeps(next, new UUID(1, 4), LATER, 0)).isTrue();
            assertThat(next.aggregates()).isOne();
            assertThat(setAside()).containsExactly(poison, behind, new UUID(1, 4));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {START, END})
    void whatTheCrashCameBeforeIsSetAsideBehind(long again) throws SQLException {
        for (long first : List.of(START, END)) {
            try (Statement statement = database.connection().createStatement()) {
                statement.execute("TRUNCATE tributary.dead_letter");
                setAside(first);
                statement.execute("DELETE FROM tributary.dead_letter WHERE id = '" + behind + "'");
            }

            PoisonEvents next = loaded();
            assertThat(keeps(next, before, again, 0)).isFalse();
            assertThat(keeps(next, poison, again, 1)).isTrue();
            assertThat(keeps(next, behind, again, 2)).isTrue();
            assertThat(setAside()).containsExactly(poison, behind);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {START, END})
    void whatIsReleasedComesOnceWhicheverEngineReadsItAgain(long again) throws SQLException {
        for (long first : List.of(START, END)) {
            try (Statement statement = database.connection().createStatement()) {
                statement.execute("TRUNCATE tributary.dead_letter");
                setAside(first);
                statement.execute("UPDATE tributary.dead_letter SET released_at = now()");
            }

            PoisonEvents next = loaded();
            assertThat(next.aggregates()).isZero();
            assertThat(keeps(next, before, again, 0)).isFalse();
            assertThat(keeps(next, poison, again, 1)).isTrue();
            assertThat(keeps(next, behind, again, 2)).isTrue();
            assertThat(keeps(next, poison, LATER, 1)).as("released").isFalse();
            assertThat(keeps(next, behind, LATER, 2)).as("released").isFalse();
        }
    }

    @Test
    void whatWasSetAsideAgainAfterARelease() throws SQLException {
        setAside(START);
        try (Statement statement = database.connection().createStatement()) {
            statement.execute("UPDATE tributary.dead_letter SET released_at = now()");
        }
        setAside(LATER);

        PoisonEvents next = loaded();
        for (long lsn : List.of(START, LATER)) {
            assertThat(keeps(next, before, lsn, 0)).isFalse();
            assertThat(keeps(next, poison, lsn, 1)).isTrue();
            assertThat(keeps(next, behind, lsn, 2)).isTrue();
        }
        assertThat(setAside()).containsExactly(poison, behind, poison, behind);
    }

    private void setAside(long lsn) throws SQLException {
        PoisonEvents first = loaded(lsn);
        assertThat(first.isSetAside(new RelayException.Refused(poison, null, "too large", "", null)))
                .isTrue();
        assertThat(keeps(first, before, lsn, 0)).isFalse();
        assertThat(keeps(first, poison, lsn, 1)).isTrue();
        assertThat(keeps(first, behind, lsn, 2)).isTrue();
    }

    private PoisonEvents loaded() throws SQLException {
        return loaded(CONFIRMED);
    }

    private PoisonEvents loaded(long confirmedLsn) throws SQLException {
        PoisonEvents events = new PoisonEvents(
                config, new RealSurroundings(config, new KafkaClients(Map.of("bootstrap.servers", "localhost:1"))));
        events.load(database, new Position(1, confirmedLsn, 0));
        return events;
    }

    private boolean keeps(PoisonEvents events, UUID id, long lsn, int ordinal) {
        byte[] text = "x".getBytes(UTF_8);
        return events.keeps(
                new OutboxEvent(
                        new Position(1, lsn, ordinal),
                        Instant.EPOCH,
                        id,
                        "order",
                        text,
                        0,
                        text,
                        text,
                        text,
                        null,
                        Instant.EPOCH),
                database);
    }

    private List<UUID> setAside() throws SQLException {
        List<UUID> ids = new ArrayList<>();
        try (Statement statement = database.connection().createStatement();
                var rows = statement.executeQuery("SELECT id FROM tributary.dead_letter ORDER BY position")) {
            while (rows.next()) {
                ids.add(rows.getObject(1, UUID.class));
            }
        }
        return ids;
    }
}

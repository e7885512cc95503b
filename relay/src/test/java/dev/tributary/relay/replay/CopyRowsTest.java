package dev.tributary.relay.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.wire.Replay;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.HistoryReplay.Progress;
import dev.tributary.relay.replay.ReplayNotes.Chosen;
import dev.tributary.relay.replay.ReplayNotes.Cluster;
import dev.tributary.relay.replay.ReplayNotes.Moment;
import dev.tributary.relay.sink.KafkaClients;
import dev.tributary.relay.sink.ReplayTopic;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.HistoryRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CopyRowsTest {
    private static final int ROWS = 10;
    private static final Duration EACH_ROW = Duration.ofMillis(700);

    private final Map<String, Object> kafka =
            Map.of("bootstrap.servers", LocalKafka.shared().bootstrapServers());
    private final AtomicLong nanos = new AtomicLong();
    private final List<Long> noted = new ArrayList<>();

    /** Kafka ends transactions that stay open, and what a kill undoes is what was sent since the last note. */
    @Test
    void whatWasSentIsNotedEveryTwoSecondsHoweverMuchThatIs() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        String url = postgres.createDatabase("noted");
        try (Connection connection = postgres.connect(url);
                Statement statement = connection.createStatement()) {
            OutboxSchema.apply(connection);
            statement.execute(
                    "SELECT tributary.publish('order', 'x', 'a.v1', '{}') FROM generate_series(1, " + ROWS + ")");
        }
        SourceConfig source = new SourceConfig(
                "noted",
                url,
                LocalPostgres.USER,
                LocalPostgres.PASSWORD,
                SourceConfig.Engine.PGOUTPUT,
                "${source}.${aggregate_type}",
                1);
        try (Topics topics = new KafkaClients(kafka).topics("noted");
                ReplayTopic topic = new ReplayTopic(kafka, "replay-noted");
                HistoryRows rows = HistoryRows.asTheyAre(source)) {
            topics.ensureMarks(Replay.TOPIC);
            Replay begun =
                    new Replay("noted", "replay-noted", topic.create(), false, 1, 1, Map.of(), Map.of(), true, null);
            topic.takeOver();
            ReplayNotes notes = new ReplayNotes(
                    new Cluster("1", 1), Chosen.of(Part.ALL), Moment.of(rows.snapshot()), null, 0, 0, ROWS, true, null);
            new CopyRows(source, topic, begun, notes, id -> isSentSlowly(), Long.MAX_VALUE, noting(), nanos::get)
                    .run(rows);
        }
        assertThat(noted).containsExactly(0L, 3L, 6L, 9L, (long) ROWS);
        postgres.dropDatabase(url);
    }

    private boolean isSentSlowly() {
        nanos.addAndGet(EACH_ROW.toNanos());
        return true;
    }

    private Account noting() {
        return new Account() {
            @Override
            public void say(String line) {
                assertThat(line).startsWith("replayed " + ROWS + " events");
            }

            @Override
            public void progress(Progress progress) {
                noted.add(progress.done());
            }
        };
    }
}

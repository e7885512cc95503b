package dev.tributary.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.source.HistoryRows;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The network between relay and PostgreSQL, or Kafka, is cut or goes silent. Nothing is lost, doubled or reordered. */
@Timeout(600)
class NetworkFaultsIT {
    private static final int DELIVERY_TIMEOUT_MS = 4_000;
    /** In how a client begins that wants to stream. */
    private static final String STREAM = "replication\0database";
    /** A dead stream is noticed after 9 s, and the server's end of it ended 7 s later. */
    private static final Duration DEAD_STREAM_MAX = Duration.ofSeconds(60);

    private static TcpProxy toKafka;
    private static LocalKafka kafka;
    private TcpProxy toPostgres;
    private SourceUnderTest source;
    private SourceConfig proxied;
    private Relay relay;

    @BeforeAll
    static void startOwn() {
        toKafka = new TcpProxy(() -> kafka.port());
        kafka = LocalKafka.own(Map.of("advertised.listeners", "PLAINTEXT://127.0.0.1:" + toKafka.port()));
        kafka.start();
    }

    @AfterAll
    static void closeOwn() {
        kafka.close();
        toKafka.close();
    }

    @BeforeEach
    void open() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        toPostgres = new TcpProxy(postgres::port);
        source = new SourceUnderTest(postgres, kafka);
        source.kafkaProperties.put("delivery.timeout.ms", DELIVERY_TIMEOUT_MS);
        source.kafkaProperties.put("request.timeout.ms", DELIVERY_TIMEOUT_MS / 2);
        SourceConfig direct = source.config;
        proxied = new SourceConfig(
                direct.name(),
                "jdbc:postgresql://127.0.0.1:" + toPostgres.port() + "/" + source.database,
                direct.username(),
                direct.password(),
                direct.engine(),
                direct.topic(),
                direct.epoch());
        relay = source.startRelay(proxied);
        awaitStreaming();
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
        toPostgres.close();
    }

    @Test
    void connectionsToTheDatabaseAreCutTimeAndAgain() throws Exception {
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            for (int i = 0; i < 5; i++) {
                awaitCommits(writers, 200);
                toPostgres.cut();
            }
            awaitCommits(writers, 100);
        }
        source.topics.awaitExactly(source);
        assertThat(relay.status().progress().retries()).isPositive();
    }

    @Test
    void theStreamGoesSilent() throws Exception {
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            awaitCommits(writers, 200);
            silenceTheStream();
            awaitCommits(writers, 100);
        }
        awaitRetry();
        source.topics.awaitExactly(source);
    }

    /** When the stream has brought no more than the beginning of a transaction. */
    @Test
    void theStreamGoesSilentInMidTransaction() throws Exception {
        // Of four megabytes at least
        assertThat(toPostgres.silenceAfter(500_000, STREAM)).isEqualTo(1);
        source.execute("SELECT tributary.publish('order', 'a' || n, 'a.v1', json_build_object('n', repeat('x', 200)))"
                + " FROM generate_series(1, 20000) n");
        awaitRetry();
        source.topics.awaitExactly(source);
    }

    @Test
    void allConnectionsToTheDatabaseGoSilent() throws Exception {
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            awaitCommits(writers, 200);
            toPostgres.silence();
            awaitCommits(writers, 100);
        }
        awaitRetry();
        source.topics.awaitExactly(source);
    }

    @Test
    void connectionsToKafkaAreCutTimeAndAgain() throws Exception {
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            for (int i = 0; i < 10; i++) {
                awaitCommits(writers, 50);
                toKafka.cut();
            }
        }
        source.topics.awaitExactly(source);
    }

    @Test
    void connectionsToKafkaGoSilentForLongerThanTheDeliveryTimeout() throws Exception {
        try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
            awaitCommits(writers, 200);
            toKafka.silence();
            awaitCommits(writers, 100);
        }
        source.topics.awaitExactly(source);
    }

    /** A replay's or a recovery's rows may take hours to come: there is no limit to how long they are waited for. */
    @Test
    void whoWaitsForRowsEndsWhenTheServerHasForgottenIt() throws Exception {
        try (Connection blocking = source.connect();
                HistoryRows rows = HistoryRows.asTheyAre(proxied)) {
            blocking.setAutoCommit(false);
            SourceUnderTest.run(blocking, "LOCK TABLE tributary.event_store IN ACCESS EXCLUSIVE MODE");
            CompletableFuture<Throwable> ended = CompletableFuture.supplyAsync(() -> catchThrowable(rows::count));
            String waiting =
                    " FROM pg_stat_activity WHERE application_name LIKE '%-replay' AND wait_event_type = 'Lock'";
            await().atMost(DEAD_STREAM_MAX)
                    .until(() -> source.text("SELECT count(*)" + waiting).equals("1"));
            assertThat(toPostgres.silence("-replay\0") + toPostgres.silence("-replay'"))
                    .isEqualTo(1);
            source.execute("SELECT pg_terminate_backend(pid)" + waiting);
            assertThat(ended.get(DEAD_STREAM_MAX.toSeconds(), TimeUnit.SECONDS)).isInstanceOf(SQLException.class);
        }
    }

    private void silenceTheStream() {
        assertThat(toPostgres.silence(STREAM)).isEqualTo(1);
    }

    private void awaitRetry() {
        await().atMost(DEAD_STREAM_MAX).until(() -> relay.status().progress().retries() > 0);
        await().atMost(DEAD_STREAM_MAX).until(() -> relay.status().state() == SourceState.STREAMING);
    }

    private void awaitStreaming() {
        await().atMost(DEAD_STREAM_MAX).until(() -> relay.status().state() == SourceState.STREAMING);
    }

    private static void awaitCommits(WritersUnderTest writers, long more) {
        long goal = writers.commits() + more;
        await().atMost(Duration.ofSeconds(60)).until(() -> writers.commits() >= goal);
    }
}

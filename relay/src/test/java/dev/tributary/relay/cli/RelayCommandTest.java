package dev.tributary.relay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.FreePort;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.SlotHealth;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.config.HttpConfig;
import dev.tributary.relay.http.HttpApi;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class RelayCommandTest {
    private static final String SECRET = "hunter2";

    @TempDir
    private Path directory;

    private String url;
    private String source;

    /** What a command said and how it ended. */
    private record Outcome(int exitCode, String out, String err) {}

    @BeforeEach
    void createDatabase() {
        url = LocalPostgres.shared().createDatabase("cli");
        source = url.substring(url.lastIndexOf('/') + 1);
    }

    @AfterEach
    void dropDatabase() {
        LocalPostgres.shared().dropDatabase(url);
    }

    @Test
    void endsWith2OnBadUsage() {
        assertThat(relay()).satisfies(o -> assertThat(o.err()).contains("A command is missing"));
        assertThat(relay().exitCode()).isEqualTo(2);
        assertThat(relay("rnu", "--config", "x").exitCode()).isEqualTo(2);
        assertThat(relay("run").err()).contains("Missing required option: '--config=FILE'");
        assertThat(relay("run").exitCode()).isEqualTo(2);
        assertThat(relay("status", "--config", "x", "--jsn").exitCode()).isEqualTo(2);
        assertThat(relay("recover", "--config", "x", "--slack", "6h"))
                .satisfies(o -> assertThat(o.exitCode()).isEqualTo(2))
                .satisfies(o -> assertThat(o.err())
                        .startsWith("Invalid value for option '--slack': '6h' is not a duration such as PT6H"));
        assertThat(relay("--help").exitCode()).isZero();
        assertThat(relay("check", "--help").exitCode()).isZero();
    }

    @Test
    void endsWith2OnBadConfigurationAndTellsAllMistakesWithoutSecrets() throws IOException {
        Path config = directory.resolve("relay.yaml");
        Files.writeString(config, """
                relay:
                  kafka: { acks: 1, sasl.jaas.config: hunter2 }
                  sources:
                    sales: { url: "jdbc:postgresql://relay:hunter2@db/sales", password: hunter2, usrname: relay }
                """);

        for (String command : List.of("init", "check", "run", "status")) {
            Outcome outcome = relay(command, "--config", config.toString());
            assertThat(outcome.exitCode()).isEqualTo(2);
            assertThat(outcome.out()).isEmpty();
            assertThat(outcome.err())
                    .startsWith("The configuration has 5 mistakes:")
                    .contains("relay.kafka.bootstrap.servers: is missing")
                    .contains("relay.kafka.acks: must be all, not 1")
                    .contains("relay.sources.sales.url: must not carry user or password")
                    .contains("relay.sources.sales.usrname: is not a key of the relay's; did you mean 'username'?")
                    .contains("relay.sources.sales.username: is missing")
                    .doesNotContain(SECRET)
                    .doesNotContain("\tat ");
        }
        assertThat(relay("check", "--config", "nowhere.yaml"))
                .isEqualTo(new Outcome(
                        2,
                        "",
                        "The configuration has a mistake:\n  nowhere.yaml: does not exist; give the configuration's path"
                                + " with --config\n"));
    }

    @Test
    void refusesToRunWhatItCannotRun() throws IOException {
        Outcome kafka = relay("run", "--config", config("  kafka.linger.ms: soon\n"));
        assertThat(kafka.exitCode()).isEqualTo(2);
        assertThat(kafka.err()).contains("relay.kafka: Invalid value soon for configuration linger.ms");
    }

    @Test
    void preparesADatabaseThatIsThenInOrder() throws IOException {
        String config = config("");

        Outcome before = relay("check", "--config", config);
        assertThat(before.exitCode()).isEqualTo(1);
        assertThat(before.out())
                .contains("FAILED   table: tributary.outbox does not exist")
                .contains("FAILED   table: tributary.event_store does not exist")
                .contains("FAILED   table: tributary.aggregate does not exist")
                .contains("FAILED   publication: tributary does not exist")
                .contains("FAILED   slot: tributary_" + source + " does not exist")
                .contains("         -> Run 'relay init'")
                .contains("ok       connection: 1 broker")
                .endsWith("5 failed, 1 warning\n");

        Outcome dryRun = relay("init", "--dry-run", "--config", config);
        assertThat(dryRun.exitCode()).isZero();
        assertThat(dryRun.out())
                .startsWith("-- source " + source + ", " + url + "\nBEGIN;\n")
                .contains("CREATE PUBLICATION tributary FOR TABLE")
                .contains("SELECT pg_create_logical_replication_slot('tributary_" + source + "', 'pgoutput'");
        assertThat(relay("check", "--config", config)).isEqualTo(before);

        assertThat(relay("init", "--config", config))
                .isEqualTo(new Outcome(
                        0,
                        "source " + source + ": created schema tributary, publication tributary, slot tributary_"
                                + source + "\n",
                        ""));
        assertThat(relay("init", "--config", config))
                .isEqualTo(new Outcome(0, "source " + source + ": nothing was missing\n", ""));

        Outcome after = relay("check", "--config", config);
        assertThat(after.exitCode()).isZero();
        assertThat(after.out()).endsWith("0 failed, 1 warning\n");
        assertThat(before.out() + dryRun + after).doesNotContain(SECRET);
    }

    @Test
    void namesTheSourceThatCannotBePreparedAndPreparesTheOthers() throws IOException {
        Outcome outcome = relay(
                "init",
                "--config",
                config("    broken: { url: 'jdbc:postgresql://127.0.0.1:1/x', username: relay, password: hunter2 }\n"));

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.out()).contains("source " + source + ": created ");
        assertThat(outcome.err())
                .contains("source broken cannot be prepared:\n  FAILED   connection: the database at")
                .contains("-> Start it, or correct relay.sources.broken.url")
                .doesNotContain(SECRET);
        assertThat(relay("init", "--source", "nobody", "--config", config("")).exitCode())
                .isEqualTo(2);
    }

    @Test
    void recoversALostSlotAndLeavesOthersAlone() throws IOException, SQLException {
        String config = config("");
        relay("init", "--config", config);
        Outcome inOrder = relay("recover", "--config", config);
        assertThat(inOrder.exitCode()).isZero();
        assertThat(inOrder.out()).contains("  nothing to recover: slot tributary_" + source + " is in order");

        try (Connection connection = LocalPostgres.shared().connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_drop_replication_slot('tributary_" + source + "')");
            statement.execute("SELECT tributary.publish('order', '1', 'order.placed.v1', '{}')");
            Outcome dryRun = relay("recover", "--dry-run", "--config", config);
            assertThat(dryRun.exitCode()).isZero();
            assertThat(dryRun.out())
                    .contains("  replication slot tributary_" + source + " does not exist\n")
                    .contains("  " + source + ".order lacks 1 events, the first ")
                    .contains("publish 1 events in epoch 1; nothing was changed");

            statement.execute("DELETE FROM tributary.outbox");
            statement.execute("SELECT tributary.publish('order', '1', 'order.placed.v1', '{}')");
            Outcome refused = relay("recover", "--config", config);
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.out())
                    .contains("  UNPROVEN: 1 events of type order in 1 aggregates are not in the tables");
            assertThat(refused.err())
                    .startsWith(
                            "source " + source + " is not recovered:\n  FAILED   recover: what Kafka lacks cannot be")
                    .contains("-> restore the rows, or accept the loss with --accept-loss");
        }
        assertThat(relay("recover", "--config", config, "--source", "nobody").exitCode())
                .isEqualTo(2);
    }

    @Test
    void replaysNothingOnBadUsageAndForetellsWhatThereIs() throws IOException, SQLException {
        String config = config("");
        relay("init", "--config", config);
        try (Connection connection = LocalPostgres.shared().connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT tributary.publish('order', i::text, 'order.placed.v1', '{}'),"
                    + " tributary.append('customer', i::text, 0, 'customer.registered.v1', '{}')"
                    + " FROM generate_series(1, 3) i");
        }
        Outcome foretold = replay(config, "replay-" + source, "--dry-run");
        assertThat(foretold.exitCode()).as(foretold.err()).isZero();
        assertThat(foretold.out())
                .contains("  would replay 6 events: 3 of customer, 3 of order to topic replay-" + source + "\n");
        assertThat(replay(config, "replay-" + source, "--dry-run", "--aggregate", "order/2")
                        .out())
                .contains("  would replay 1 events: 1 of order to topic");

        Outcome own = replay(config, "tributary.mine", "--dry-run");
        assertThat(own.exitCode()).isEqualTo(1);
        assertThat(own.err())
                .startsWith("source " + source
                        + " is not replayed, or not to its end:\n  FAILED   replay: topic tributary.mine")
                .contains("-> choose another --topic, such as replay." + source);
        assertThat(replay(config, source + ".history").err()).contains("is named like the topics of live events");
        assertThat(replay(config, source + ".history").exitCode()).isEqualTo(2);
        assertThat(replay(config, "x", "--aggregate", "order").exitCode()).isEqualTo(2);
        assertThat(replay(config, "x", "--aggregate", "order/1", "--aggregate-type", "order")
                        .exitCode())
                .isEqualTo(2);
        assertThat(replay(config, "x", "--from-position", "1").err()).contains("--from-position: not a position");
        assertThat(replay(config, "x", "--events-per-second", "0").exitCode()).isEqualTo(2);
        Outcome yesterday = replay(config, "x", "--since", "2026-01-31");
        assertThat(yesterday.exitCode()).isEqualTo(2);
        assertThat(yesterday.err())
                .startsWith(
                        "Invalid value for option '--since': '2026-01-31' is not a time with its offset from UTC, such as");
        String early = "2026-01-31T00:00:00Z";
        assertThat(replay(config, "x", "--since", early, "--until", early).err())
                .startsWith("--since " + early + " is not before --until " + early);
        assertThat(replay(config, "x", "--accept-loss").err()).startsWith("--accept-loss comes with --resume");
        assertThat(replay(config, "x", "--aggregate", "order/").err()).startsWith("--aggregate must be TYPE/ID");
        Outcome slip = replay(config, "replay-" + source, "--aggregate", "ordr/2", "--dry-run");
        assertThat(slip.exitCode()).isEqualTo(1);
        assertThat(slip.err())
                .contains("there are no events of --aggregate ordr/2 in source " + source
                        + ", which has 6 events: 3 of customer, 3 of order");
    }

    private Outcome replay(String config, String topic, String... more) {
        List<String> words =
                new ArrayList<>(List.of("replay", "--config", config, "--source", source, "--topic", topic));
        words.addAll(List.of(more));
        return relay(words.toArray(String[]::new));
    }

    @Test
    void saysThatNoRelayAnswers() throws IOException {
        Outcome outcome = relay("status", "--config", config(""));

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).startsWith("No status: no relay answers at http://127.0.0.1:");
    }

    @Test
    void showsHowTheSourcesOfTheRunningRelayStand() throws IOException {
        SourceStatus status = new SourceStatus(
                source,
                SourceState.RECOVERING,
                Instant.parse("2026-11-21T01:02:03Z"),
                "the database is away",
                "none",
                false,
                new SourceStatus.Progress(7, 2_100, 2, 1, 0x10, 0x20, 1_000, null, 3, 0, Duration.ofMillis(1_500)),
                SlotHealth.UNKNOWN);
        String config = config("");
        try (HttpApi api = HttpApi.start(new HttpConfig("127.0.0.1", port), () -> List.of(status))) {
            assertThat(api.uri().getPort()).isEqualTo(port);
            assertThat(relay("status", "--config", config)).isEqualTo(new Outcome(0, source + """
                                    : RECOVERING since 2026-11-21T01:02:03Z
                                      reason     the database is away
                                      remedy     none
                                      events     7 (2100 bytes), 2 skipped, 3 in flight, 1 retries
                                      confirmed  0/10, server at 0/20
                                      lag        16 bytes, 1.5 s
                                    """, ""));
            assertThat(relay("status", "--json", "--config", config).out()).contains("\"confirmedLsnText\" : \"0/10\"");
        }
    }

    @Test
    void endsWith1WhereASourceStandsStill() throws IOException {
        String config = config("");
        AtomicReference<SourceState> state = new AtomicReference<>();
        try (HttpApi api = HttpApi.start(new HttpConfig("127.0.0.1", port), () -> List.of(standing(state.get())))) {
            for (SourceState each : SourceState.values()) {
                state.set(each);
                boolean still = each == SourceState.STOPPED || each == SourceState.SLOT_LOST;
                assertThat(relay("status", "--config", config).exitCode())
                        .as(each + " at " + api.uri())
                        .isEqualTo(still ? 1 : 0);
            }
        }
    }

    private SourceStatus standing(SourceState state) {
        SourceStatus.Progress none = new SourceStatus.Progress(0, 0, 0, 0, 0, 0, 0, null, 0, 0, null);
        return new SourceStatus(source, state, Instant.EPOCH, "", "", false, none, SlotHealth.UNKNOWN);
    }

    private int port;

    private String config(String more) throws IOException {
        if (port == 0) {
            port = FreePort.next();
        }
        Path file = directory.resolve("relay.yaml");
        Files.writeString(file, """
                relay:
                  kafka.bootstrap.servers: %s
                  http.port: %d
                  sources:
                    %s:
                      url: %s
                      username: postgres
                      password: hunter2
                """.formatted(LocalKafka.shared().bootstrapServers(), port, source, url) + more);
        return file.toString();
    }

    private static Outcome relay(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine relay = RelayCommand.commandLine();
        relay.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return new Outcome(relay.execute(arguments), out.toString(), err.toString());
    }
}

package dev.tributary.relay;

import static dev.tributary.relay.ReplayUnderTest.SOON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.relay.cli.RelayCommand;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.HistoryReplay.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A replay that is killed, asked to end, left by its Kafka client, or met by another one is gone on with. */
@Timeout(600)
class ReplayStoppedIT extends ReplayFixture {

    @Test
    void aReplayThatIsKilledGoesOnWhereItWas() throws Exception {
        source.startRelay();
        source.execute("SELECT tributary.publish('order', (i % 50)::text, 'order.placed.v1', '{}')"
                + " FROM generate_series(1, 15000) i");
        try (WritersUnderTest writers = new WritersUnderTest(source, 1)) {
            try (JavaProcess process = replay.start(700)) {
                await().atMost(SOON)
                        .until(() -> replay.noted() != null && replay.records().size() > 1_000);
                process.kill();
            }
            assertThat(replay.noted().complete()).isFalse();
            long before = writers.commits();
            await().atMost(SOON).until(() -> writers.commits() > before + 50);

            assertThatThrownBy(() -> replay.begin()).hasMessageContaining("holds a replay that was not finished");
            assertThat(replay.resume())
                    .anyMatch(line -> line.startsWith("going on behind "))
                    .noneMatch(line -> line.startsWith("going on behind 0 "));
            replay.checkSeam();
        }
        source.topics.awaitExactly(source);
    }

    @Test
    @Timeout(180)
    void aReplayWhoseKafkaClientSaysNothingAnyMoreEndsAndIsGoneOnWith() throws Exception {
        source.startRelay();
        replay.publish("a", 3);
        source.topics.awaitExactly(source);
        Map<String, Object> deadly = Map.of(
                "interceptor.classes",
                DeadlyInterceptor.class.getName(),
                "delivery.timeout.ms",
                2_000,
                "request.timeout.ms",
                1_000);
        source.kafkaProperties.putAll(deadly);
        DeadlyInterceptor.DUE.set(replay.topic);
        assertThatThrownBy(() -> replay.begin())
                .isExactlyInstanceOf(RelayException.class)
                .hasMessageContaining("the Kafka client has not said for 7 s whether events were taken")
                .satisfies(failure ->
                        assertThat(((RelayException) failure).remedy()).contains("--resume"));
        assertThat(DeadlyInterceptor.DUE).hasNullValue();
        source.kafkaProperties.keySet().removeAll(deadly.keySet());
        replay.resume();
        replay.checkSeam();
    }

    @Test
    void aReplayThatIsAskedToEndSaysHowToGoOn(@TempDir Path directory) throws Exception {
        source.startRelay();
        source.execute("SELECT tributary.publish('order', (i % 5)::text, 'order.placed.v1', '{}')"
                + " FROM generate_series(1, 200) i");
        source.topics.awaitExactly(source);
        Path config = Files.writeString(directory.resolve("relay's.yaml"), configuration());
        List<String> output = new CopyOnWriteArrayList<>();
        try (JavaProcess process = command(output, arguments(config, "5"))) {
            await().atMost(SOON).until(() -> replay.noted() != null);
            process.terminate();
            assertThat(process.waitFor(SOON)).isTrue();
            assertThat(process.exitCode()).as("as the shell tells of SIGTERM").isEqualTo(143);
        }
        String hint = "stopped; go on with: relay replay --config '" + directory + "/relay'\\''s.yaml' --source "
                + source.config.name() + " --topic " + replay.topic + " --events-per-second 5 --resume";
        assertThat(output).contains(hint);
        assertThat(replay.noted().complete()).isFalse();

        output.clear();
        try (JavaProcess process = command(output, arguments(config, "5000", "--resume"))) {
            assertThat(process.waitFor(SOON)).isTrue();
            assertThat(process.exitCode()).isZero();
        }
        assertThat(output).noneMatch(line -> line.contains("stopped"));
        replay.checkSeam();
    }

    private String[] arguments(Path config, String eventsPerSecond, String... more) {
        List<String> arguments = new ArrayList<>(List.of("replay", "--config", config.toString(), "--source"));
        arguments.addAll(
                List.of(source.config.name(), "--topic", replay.topic, "--events-per-second", eventsPerSecond));
        arguments.addAll(List.of(more));
        return arguments.toArray(String[]::new);
    }

    private static JavaProcess command(List<String> output, String... arguments) {
        return JavaProcess.main(RelayCommand.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(arguments)
                .output(output::add)
                .start();
    }

    private String configuration() {
        return """
                relay:
                  kafka:
                    bootstrap.servers: %s
                  sources:
                    %s:
                      url: %s
                      username: %s
                      password: %s
                """.formatted(
                        source.kafkaProperties.get("bootstrap.servers"),
                        source.config.name(),
                        source.config.url(),
                        source.config.username(),
                        source.config.password());
    }

    @Test
    void ofTwoThatBeginAtOnceOneWrites() throws Exception {
        source.startRelay();
        replay.publish("a", 3);
        Options all = ReplayProcess.all(replay.topic);
        assertThatThrownBy(() -> runAfter(all, () -> ReplayProcess.run(source, all)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("another `replay` has written to topic " + replay.topic);
        replay.checkSeam();
        replay.publish("a", 2);
        Options more = ReplayProcess.resuming(all);
        assertThatThrownBy(() -> runAfter(more, () -> ReplayProcess.run(source, more)))
                .hasMessageContaining("another `replay` has written to topic " + replay.topic);
        replay.checkSeam();
        assertThat(replay.records()).hasSize(5);
    }

    /** Runs a replay, and something else when it is about to write. */
    private void runAfter(Options options, ThrowingCallable other) throws SQLException {
        Account account = new Account() {
            @Override
            public void say(String line) {
                if (line.contains(" to replay to topic ")) {
                    assertThatCode(other).doesNotThrowAnyException();
                }
            }

            @Override
            public void progress(Progress progress) {}
        };
        new HistoryReplay(source.config, source.kafkaProperties, options, account).run();
    }
}

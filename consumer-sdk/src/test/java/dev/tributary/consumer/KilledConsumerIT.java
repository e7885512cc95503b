package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.SubscriberProcess.Hold;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.postgresql.ds.PGSimpleDataSource;

/** A subscriber in a process of its own, killed or frozen where it hurts; another takes over. */
class KilledConsumerIT {
    /** An attempt of a process that woke has come to nothing, or it has no partition any more. */
    private static final String NOTICED = "STATUS Counters\\[applied=[0-6],.*((retries|fenced)=[1-9].*|\\] \\[\\])";

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;
    private final List<String> output = new CopyOnWriteArrayList<>();

    @TempDir
    private Path directory;

    private Path release;

    @BeforeEach
    void setUp() {
        release = directory.resolve("release");
    }

    @AfterEach
    void close() {
        bed.close();
    }

    private JavaProcess startProcess(Hold hold) {
        return JavaProcess.main(SubscriberProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(bed.kafka.bootstrapServers(), view.url(), bed.name, topic.name(), hold.name(), release.toString())
                .output(output::add)
                .start();
    }

    private void sendTenWithACatchAt(int caught) {
        for (int i = 1; i <= 10; i++) {
            topic.enqueue(topic.added("a" + i % 3, i == caught ? SubscriberProcess.CATCH : 1));
        }
        topic.flush();
    }

    private void assertEachAppliedOnceInOrder(long events) {
        bed.eventuallyApplied(events);
        assertThat(view.appliedIds()).doesNotHaveDuplicates();
        view.sequences().values().forEach(sequences -> assertThat(sequences).isSorted());
    }

    @ParameterizedTest
    @EnumSource(value = Hold.class, mode = Mode.EXCLUDE, names = "NEVER")
    void killedBetweenViewUpdateAndCommitLosesAndDoublesNothing(Hold hold) {
        try (JavaProcess process = startProcess(hold)) {
            sendTenWithACatchAt(7);
            eventually(() -> assertThat(output).contains("CAUGHT"));
            process.kill();
        }
        bed.start();
        assertEachAppliedOnceInOrder(10);
        assertThat(view.totals()).isEqualTo(Map.of("a0", 3L, "a1", 3L + SubscriberProcess.CATCH, "a2", 3L));
    }

    @ParameterizedTest
    @EnumSource(value = Hold.class, mode = Mode.EXCLUDE, names = "NEVER")
    void frozenPastItsSessionCannotCommitWhenItWakes(Hold hold) throws IOException {
        try (JavaProcess process = startProcess(hold)) {
            sendTenWithACatchAt(7);
            eventually(() -> assertThat(output).contains("CAUGHT"));
            process.pause();
            bed.start();
            assertEachAppliedOnceInOrder(10);
            Map<String, Long> before = view.totals();
            topic.send(topic.added("a1", 1));
            bed.eventuallyApplied(11);

            Files.createFile(release);
            process.resume();
            eventually(() -> assertThat(output).contains("RELEASED"));
            // It has noticed: its attempt has failed, or its partition is gone
            eventually(() -> assertThat(output.stream().skip(output.indexOf("RELEASED")))
                    .anyMatch(line -> line.matches(NOTICED)));
            assertEachAppliedOnceInOrder(11);
            assertThat(view.totals()).containsEntry("a0", before.get("a0")).containsEntry("a1", before.get("a1") + 1);
        }
    }

    @Test
    void frozenOwnerThatMayNotBeEndedDelaysTheNewOneOnlyUntilItsIdleTimeout() throws SQLException {
        view.execute(
                "DO $$ BEGIN CREATE ROLE weak LOGIN PASSWORD 'weak'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                "GRANT USAGE ON SCHEMA tributary, public TO weak",
                "GRANT ALL ON ALL TABLES IN SCHEMA tributary, public TO weak");
        sendTenWithACatchAt(7);
        try (Connection frozen = DriverManager.getConnection(view.url(), LocalPostgres.USER, LocalPostgres.PASSWORD)) {
            Timeouts impatient = Timeouts.ofDefaults().withIdleInTransaction(Duration.ofSeconds(3));
            PositionStore positions = new PositionStore(bed.name, topic.partition(), impatient, null);
            PositionStore.Claim claim = positions.claim(frozen, topicId(), 0);
            assertThat(positions.advance(frozen, claim, claim.progress(), new PositionStore.Progress(10, Map.of())))
                    .isTrue();
            var weak = new PGSimpleDataSource();
            weak.setUrl(view.url());
            weak.setUser("weak");
            weak.setPassword("weak");
            bed.start(bed.accounts().dataSource(weak));
            assertEachAppliedOnceInOrder(10);
        }
    }

    private String topicId() {
        try (TopicProbe probe =
                new TopicProbe(SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()), Set.of(topic.name()))) {
            return probe.extent(topic.partition()).topicId();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}

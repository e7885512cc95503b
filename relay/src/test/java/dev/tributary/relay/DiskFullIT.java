package dev.tributary.relay;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.localstack.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** Disks fill up under writers and relay; when there is room again and the server is started, nothing is amiss. */
@Timeout(600)
class DiskFullIT {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final int DELIVERY_TIMEOUT_MS = 4_000;

    @TempDir
    private Path directory;

    @BeforeEach
    void onlyHere() {
        assumeTrue(
                System.getProperty("tributary.stack", "embedded").equals("embedded"),
                "puts the servers' files on a disk of its own, which containers cannot see");
    }

    private SmallDisk disk(String name, int megabytes) {
        return SmallDisk.mount(directory.resolve(name), megabytes)
                .orElseThrow(() -> new TestAbortedException("no disk can be mounted here: that takes Linux and root"));
    }

    @Test
    void theDiskOfTheBrokersLogIsFull() throws Exception {
        try (SmallDisk disk = disk("kafka", 64);
                LocalKafka kafka = LocalKafka.startOwn(Map.of(
                        "log.dirs", disk.path().resolve("data").toString(),
                        "log.segment.bytes", "1048576",
                        "log.index.size.max.bytes", "65536"));
                SourceUnderTest source = new SourceUnderTest(LocalPostgres.shared(), kafka)) {
            source.kafkaProperties.put("delivery.timeout.ms", DELIVERY_TIMEOUT_MS);
            source.kafkaProperties.put("request.timeout.ms", DELIVERY_TIMEOUT_MS / 2);
            Relay relay = source.startRelay();
            try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                awaitCommits(writers, 200);
                disk.fill();
                await().atMost(SOON).until(() -> relay.status().state() == SourceState.RECOVERING);
                disk.free();
                kafka.kill(); // it may have stopped by itself, as its only disk has failed
                kafka.start();
                awaitCommits(writers, 100);
            }
            source.topics.awaitExactly(source);
            await().until(() -> relay.status().state() == SourceState.STREAMING);
        }
    }

    @Test
    void theDiskOfTheWalIsFull() throws Exception {
        try (SmallDisk disk = disk("wal", 96);
                LocalPostgres postgres =
                        LocalPostgres.startOwn(Map.of("max_wal_size", "32MB", "min_wal_size", "32MB"))) {
            putWalOn(disk, postgres);
            try (SourceUnderTest source = new SourceUnderTest(postgres, LocalKafka.shared())) {
                Relay relay = source.startRelay();
                try (WritersUnderTest writers = new WritersUnderTest(source, 2)) {
                    awaitCommits(writers, 200);
                    disk.fill();
                    await().atMost(SOON).until(() -> writeMuch(source, relay));
                    disk.free();
                    postgres.kill();
                    postgres.start();
                    awaitCommits(writers, 100);
                }
                source.topics.awaitExactly(source);
                await().until(() -> relay.status().state() == SourceState.STREAMING);
            }
        }
    }

    /** Until the server has panicked for want of a new segment. */
    private static boolean writeMuch(SourceUnderTest source, Relay relay) {
        try {
            source.execute(
                    "SELECT pg_logical_emit_message(false, 'x', repeat('x', 4000000))", "SELECT pg_switch_wal()");
        } catch (Exception e) {
            return relay.status().state() == SourceState.RECOVERING;
        }
        return false;
    }

    private static void putWalOn(SmallDisk disk, LocalPostgres postgres) throws Exception {
        Path wal = DataDirectory.of(postgres).path().resolve("pg_wal");
        postgres.stop();
        new DataDirectory(wal).copyTo(disk.path().resolve("pg_wal"));
        new DataDirectory(wal).delete();
        Files.createSymbolicLink(wal, disk.path().resolve("pg_wal"));
        postgres.start();
    }

    private static void awaitCommits(WritersUnderTest writers, long more) {
        long goal = writers.commits() + more;
        await().atMost(SOON).until(() -> writers.commits() >= goal);
    }
}

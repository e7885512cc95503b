package dev.tributary.relay;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.replay.HistoryReplay;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.HistoryReplay.Options;
import dev.tributary.relay.replay.HistoryReplay.Progress;
import dev.tributary.relay.replay.Part;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@code replay} in a JVM of its own, so that a kill is a kill; and in this one. */
final class ReplayProcess {
    private ReplayProcess() {}

    static JavaProcess start(SourceUnderTest source, String topic, long eventsPerSecondMax) {
        SourceConfig config = source.config;
        return JavaProcess.main(ReplayProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(config.name(), config.url(), config.username(), config.password())
                .args(String.valueOf(source.kafkaProperties.get("bootstrap.servers")))
                .args(topic, Long.toString(eventsPerSecondMax))
                .outputHere()
                .start();
    }

    /** Replays the source that the arguments describe. */
    public static void main(String[] args) throws SQLException {
        SourceConfig config = new SourceConfig(
                args[0], args[1], args[2], args[3], SourceConfig.Engine.PGOUTPUT, "${source}.${aggregate_type}", 1);
        new HistoryReplay(
                        config,
                        Map.of("bootstrap.servers", args[4]),
                        new Options(args[5], Part.ALL, Long.parseLong(args[6]), false, false, false),
                        account(new ArrayList<>()))
                .run();
    }

    static Options all(String topic) {
        return part(topic, Part.ALL);
    }

    static Options part(String topic, Part part) {
        return new Options(topic, part, Long.MAX_VALUE, false, false, false);
    }

    static Options resuming(Options options) {
        return new Options(
                options.topic(), options.part(), options.eventsPerSecondMax(), true, false, options.dryRun());
    }

    static Options accepting(Options options) {
        return new Options(options.topic(), options.part(), options.eventsPerSecondMax(), true, true, false);
    }

    /** What it says. */
    static List<String> run(SourceUnderTest source, Options options) throws SQLException {
        List<String> said = new ArrayList<>();
        new HistoryReplay(source.config, source.kafkaProperties, options, account(said)).run();
        return said;
    }

    private static Account account(List<String> said) {
        return new Account() {
            @Override
            public void say(String line) {
                System.out.println(line);
                said.add(line);
            }

            @Override
            public void progress(Progress progress) {
                System.out.println(progress);
            }
        };
    }
}

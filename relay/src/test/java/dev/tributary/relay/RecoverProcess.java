package dev.tributary.relay;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.recover.SlotRecovery;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@code recover} in a JVM of its own, so that a kill is a kill; and in this one. */
final class RecoverProcess {
    private RecoverProcess() {}

    static JavaProcess start(SourceUnderTest source) {
        SourceConfig config = source.config;
        return JavaProcess.main(RecoverProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(config.name(), config.url(), config.username(), config.password())
                .args(String.valueOf(source.kafkaProperties.get("bootstrap.servers")))
                .outputHere()
                .start();
    }

    /** Recovers the source that the arguments describe. */
    public static void main(String[] args) throws SQLException {
        SourceConfig config = new SourceConfig(
                args[0], args[1], args[2], args[3], SourceConfig.Engine.PGOUTPUT, "${source}.${aggregate_type}", 1);
        recovery(config, Map.of("bootstrap.servers", args[4]), false, false, false, new ArrayList<>())
                .run();
    }

    /** What it says. */
    static List<String> run(SourceUnderTest source) throws SQLException {
        List<String> said = new ArrayList<>();
        recovery(source.config, source.kafkaProperties, false, false, false, said)
                .run();
        return said;
    }

    static List<String> inANewEpoch(SourceUnderTest source) throws SQLException {
        List<String> said = new ArrayList<>();
        recovery(source.config, source.kafkaProperties, false, true, false, said)
                .run();
        return said;
    }

    static List<String> dryRun(SourceUnderTest source) throws SQLException {
        List<String> said = new ArrayList<>();
        recovery(source.config, source.kafkaProperties, true, false, false, said)
                .run();
        return said;
    }

    static List<String> acceptingLoss(SourceUnderTest source) throws SQLException {
        List<String> said = new ArrayList<>();
        recovery(source.config, source.kafkaProperties, false, false, true, said)
                .run();
        return said;
    }

    static SlotRecovery recovery(
            SourceConfig config,
            Map<String, Object> kafka,
            boolean dryRun,
            boolean newEpoch,
            boolean acceptLoss,
            List<String> said) {
        return new SlotRecovery(
                config, kafka, new SlotRecovery.Options(dryRun, newEpoch, acceptLoss, Duration.ofMinutes(10)), line -> {
                    System.out.println(line);
                    said.add(line);
                });
    }
}

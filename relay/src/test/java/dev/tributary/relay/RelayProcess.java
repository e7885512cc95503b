package dev.tributary.relay;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** A relay in a JVM of its own, so that a kill is a kill. */
final class RelayProcess {
    private RelayProcess() {}

    static JavaProcess start(SourceUnderTest source) {
        return process(JavaProcess.main(RelayProcess.class), source)
                .outputHere()
                .start();
    }

    /** Counts down each time that the relay begins to stream. */
    static JavaProcess.Builder counting(JavaProcess.Builder relay, CountDownLatch streams) {
        return relay.output(line -> {
            if (line.contains("is STREAMING")) {
                streams.countDown();
            }
        });
    }

    static JavaProcess.Builder process(JavaProcess.Builder program, SourceUnderTest source) {
        SourceConfig config = source.config;
        return program.jvmArgs("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(config.name(), config.url(), config.username(), config.password())
                .args(
                        String.valueOf(source.kafkaProperties.get("bootstrap.servers")),
                        config.engine().name());
    }

    /** Relays the source that the arguments describe until killed. */
    public static void main(String[] args) {
        Map<String, Object> kafka = new HashMap<>(Map.of("bootstrap.servers", args[4]));
        SourceConfig config = new SourceConfig(
                args[0],
                args[1],
                args[2],
                args[3],
                SourceConfig.Engine.valueOf(args[5]),
                "${source}.${aggregate_type}",
                1);
        Relay relay = new Relay(config, kafka, Clock.systemUTC());
        Runtime.getRuntime().addShutdownHook(new Thread(relay::close));
        relay.run();
    }
}

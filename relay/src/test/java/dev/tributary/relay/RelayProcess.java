package dev.tributary.relay;

import dev.tributary.localstack.JavaProcess;
import dev.tributary.relay.config.SourceConfig;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/** A relay in a JVM of its own, so that a kill is a kill. */
final class RelayProcess {
    private RelayProcess() {}

    static JavaProcess start(SourceUnderTest source) {
        SourceConfig config = source.config;
        return JavaProcess.main(RelayProcess.class)
                .jvmArgs("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(config.name(), config.url(), config.username(), config.password())
                .args(
                        String.valueOf(source.kafkaProperties.get("bootstrap.servers")),
                        config.engine().name())
                .outputHere()
                .start();
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

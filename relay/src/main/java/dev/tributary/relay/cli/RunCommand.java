package dev.tributary.relay.cli;

import dev.tributary.relay.config.ConfigurationException;
import dev.tributary.relay.config.Mistake;
import dev.tributary.relay.config.RelayConfig;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.http.HttpApi;
import dev.tributary.relay.running.RunningSources;
import dev.tributary.relay.setup.Finding;
import dev.tributary.relay.setup.KafkaPreflight;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/** Relays until it is told to end. */
@Command(name = RunCommand.NAME, description = "Relays events of all sources until it is stopped (SIGTERM, Ctrl-C).")
final class RunCommand implements Callable<Integer> {
    static final String NAME = "run";
    private static final Duration HTTP_LATER_MAX = Duration.ofSeconds(2);

    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Override
    public Integer call() throws InterruptedException {
        try (Termination termination = Termination.onSignal()) {
            RelayConfig read = config.read();
            requireUsable(read);
            String warning = HeldOffCollector.warning(read.sources().size());
            if (warning != null) {
                log().warn("{}", warning);
            }
            relay(read, termination);
            log().info("ended");
            termination.endedInOrder();
            return ExitCode.OK;
        }
    }

    /** Waits for nothing but the wish to end: whatever the start of a part takes, it is heeded. */
    private static void relay(RelayConfig read, Termination termination) throws InterruptedException {
        AtomicReference<@Nullable HttpApi> http = new AtomicReference<>();
        try (RunningSources sources = RunningSources.start(read, Clock.systemUTC())) {
            inBackground(() -> {
                try {
                    http.set(startHttp(read, sources));
                } catch (Throwable e) { // Errors too: without it nobody could ask how the sources stand
                    termination.failed(e);
                }
            });
            termination.await();
            log().info("asked to end");
        } finally {
            HttpApi started = http.get();
            if (started != null) {
                started.close();
            }
        }
    }

    /** Events first: on a small machine the two starts would take the processor from each other. */
    private static HttpApi startHttp(RelayConfig read, RunningSources sources) throws InterruptedException {
        sources.awaitStart(HTTP_LATER_MAX);
        HttpApi http = HttpApi.start(read.http(), sources);
        log().info(
                        "relaying {}, answering at {}",
                        read.sources().stream().map(SourceConfig::name).collect(Collectors.joining(", ")),
                        http.uri());
        return http;
    }

    private static void inBackground(Runnable start) {
        Thread thread = new Thread(start, "relay-http-start");
        thread.setDaemon(true);
        thread.start();
    }

    /** Not for other commands, which log nothing. */
    private static Logger log() {
        return LoggerFactory.getLogger(RunCommand.class);
    }

    private static void requireUsable(RelayConfig read) {
        List<Mistake> mistakes = KafkaPreflight.properties(read.kafka()).stream()
                .filter(Finding::isFailure)
                .map(finding -> new Mistake("relay.kafka", finding.message()))
                .toList();
        if (!mistakes.isEmpty()) {
            throw new ConfigurationException(mistakes);
        }
    }
}

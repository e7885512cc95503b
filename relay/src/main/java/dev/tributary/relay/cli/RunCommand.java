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
import java.util.stream.Collectors;
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
        RelayConfig read = config.read();
        requireUsable(read);
        Logger log = LoggerFactory.getLogger(RunCommand.class);
        String warning = HeldOffCollector.warning(read.sources().size());
        if (warning != null) {
            log.warn("{}", warning);
        }
        Termination termination = Termination.onSignal();
        try (RunningSources sources = RunningSources.start(read, Clock.systemUTC());
                HttpApi http = startHttp(read, sources)) {
            log.info(
                    "relaying {}, answering at {}",
                    read.sources().stream().map(SourceConfig::name).collect(Collectors.joining(", ")),
                    http.uri());
            termination.await();
            log.info("asked to end");
        } catch (RuntimeException e) {
            termination.ended(ExitCode.SOFTWARE);
            throw e;
        }
        log.info("ended");
        termination.ended(ExitCode.OK);
        return ExitCode.OK;
    }

    /** Events first: on a small machine the two starts would take the processor from each other. */
    private static HttpApi startHttp(RelayConfig read, RunningSources sources) throws InterruptedException {
        sources.awaitStart(HTTP_LATER_MAX);
        return HttpApi.start(read.http(), sources);
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

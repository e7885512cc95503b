package dev.tributary.relay.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.relay.SourceState;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows how the running relay's sources stand. */
@Command(
        name = "status",
        description =
                "Asks the running relay how its sources stand; exit code 1 if one is STOPPED or SLOT_LOST, or no relay"
                        + " answers.")
final class StatusCommand implements Callable<Integer> {
    /** What does not pass by itself. */
    private static final Set<String> STANDING_STILL = Set.of(SourceState.STOPPED.name(), SourceState.SLOT_LOST.name());

    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(names = "--json", description = "Print JSON, as the relay's /api/v1/sources gives it.")
    private boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // by picocli
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try {
            JsonNode sources = RelayClient.of(config.read().http()).sources();
            if (json) {
                out.println(sources.toPrettyString());
            } else {
                sources.forEach(source -> print(out, source));
            }
            out.flush();
            for (JsonNode source : sources) {
                if (STANDING_STILL.contains(source.path("state").asText())) {
                    return ExitCode.SOFTWARE;
                }
            }
            return ExitCode.OK;
        } catch (IOException e) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("No status: " + e.getMessage()
                    + ". Start one with 'relay run', or correct relay.http.host and relay.http.port");
            err.flush();
            return ExitCode.SOFTWARE;
        }
    }

    private static void print(PrintWriter out, JsonNode source) {
        JsonNode progress = source.path("progress");
        JsonNode lag = progress.path("lagSeconds");
        out.printf(
                "%s: %s since %s%n",
                source.path("source").asText(),
                source.path("state").asText(),
                source.path("since").asText());
        line(out, "reason", source.path("reason").asText());
        line(out, "remedy", source.path("remedy").asText());
        line(
                out,
                "events",
                progress.path("events").asText() + " (" + progress.path("bytes").asText() + " bytes), "
                        + progress.path("skipped").asText() + " skipped, "
                        + progress.path("eventsInFlight").asText() + " in flight, "
                        + progress.path("retries").asText() + " retries");
        int parked = progress.path("parkedAggregates").asInt();
        line(out, "parked", parked == 0 ? "" : parked + " aggregates, see 'relay parked'");
        line(
                out,
                "confirmed",
                progress.path("confirmedLsnText").asText() + ", server at "
                        + progress.path("serverLsnText").asText());
        line(
                out,
                "lag",
                progress.path("lagBytes").asText() + " bytes, "
                        + (lag.isNumber() ? lag.asText() + " s" : "unknown time"));
        line(out, "slot", slot(source.path("slot")));
        line(out, "outbox", outbox(source.path("retention")));
    }

    private static String outbox(JsonNode retention) {
        if (!retention.path("leading").asBoolean()) {
            return retention.path("trouble").asText();
        }
        long overdue = retention.path("overdueSeconds").asLong();
        String trouble = retention.path("trouble").asText();
        return retention.path("outboxBytes").asText() + " bytes in "
                + retention.path("partitions").asText() + " partitions, "
                + retention.path("defaultBytes").asText() + " in the default one"
                + (overdue > 0 ? ", " + overdue + " s overdue" : "")
                + (trouble.isEmpty() ? "" : ": " + trouble);
    }

    private static String slot(JsonNode slot) {
        if (!slot.path("walStatus").isTextual()) {
            return slot.path("danger").asText();
        }
        JsonNode safe = slot.path("safeBytes");
        JsonNode left = slot.path("secondsLeft");
        String danger = slot.path("danger").asText();
        return slot.path("walStatus").asText() + ", keeps "
                + slot.path("retainedBytes").asText() + " bytes"
                + (safe.isNumber() ? ", " + safe.asText() + " more before it is lost" : "")
                + (left.isNumber() ? ", " + left.asText() + " s at the present rate" : "")
                + (danger.isEmpty() ? "" : ": " + danger);
    }

    private static void line(PrintWriter out, String name, String text) {
        if (!text.isEmpty()) {
            out.printf("  %-10s %s%n", name, text);
        }
    }
}

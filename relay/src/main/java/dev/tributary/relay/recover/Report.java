package dev.tributary.relay.recover;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.recover.Gap.Lost;
import dev.tributary.relay.sink.HeldEvents;
import dev.tributary.relay.source.RetainedEvents.Since;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Says to people what a recovery finds and does. */
final class Report {
    private static final double NANOS_PER_SECOND = 1e9;

    private final SourceConfig source;
    private final Consumer<String> out;

    Report(SourceConfig source, Consumer<String> out) {
        this.source = source;
        this.out = out;
    }

    void say(String line) {
        out.accept("  " + line);
    }

    void standing(Standing standing) {
        say(standing.trouble().isEmpty() ? "a new epoch, as asked for" : standing.trouble());
        say(standing.known());
        if (!standing.keepsEpoch() && standing.lineage().mark() != null) {
            say("LSNs have lost their meaning: what follows belongs to a new epoch"
                    + (standing.foreignEvents() == 0
                            ? ""
                            : "; readers keep the " + standing.foreignEvents()
                                    + " events that this database never had"));
        }
    }

    void gap(Gap gap, Since since, Duration slack, HeldEvents held) {
        if (since.xidHorizon() != 0) {
            say("looked at: rows of transactions from " + Long.toUnsignedString(since.xidHorizon()) + " on, against "
                    + held.size() + " events in Kafka");
        } else if (since.from() != null) {
            say("looked at: rows that occurred from " + since.from() + " on (" + slack
                    + " before the mark; --slack), against " + held.size()
                    + " events in Kafka; rows that occurred earlier count as published");
        } else {
            say("looked at: all rows, against all " + held.size() + " events in Kafka");
        }
        gap.missing()
                .forEach((topic, missing) ->
                        say(topic + " lacks " + missing.events() + " events, the first " + missing.first() + " of "
                                + missing.firstAt() + ", the last " + missing.last() + " of " + missing.lastAt()));
        if (gap.missing().isEmpty()) {
            say("Kafka lacks nothing that the tables hold");
        }
        lost(gap);
    }

    void lost(Gap gap) {
        each(gap.lost(), "LOST", "are neither in Kafka nor in the tables");
        each(
                gap.unproven(),
                "UNPROVEN",
                "are not in the tables, which hold nothing from before the mark, and Kafka does not tell whether it had"
                        + " them");
        each(
                gap.unsure(),
                "UNSURE",
                "are in the tables, and Kafka's retention has deleted what would tell whether it had them; they will not"
                        + " be published");
    }

    private void each(Map<String, Lost> losses, String mark, String what) {
        losses.forEach((type, lost) -> say(mark + ": " + lost.events() + " events of type " + type
                + (lost.aggregates() == 0 ? "" : " in " + lost.aggregates() + " aggregates") + " " + what));
    }

    void intent(boolean dryRun, long events, int epoch) {
        say((dryRun ? "would replace" : "replacing") + " slot " + source.slot() + " and publish " + events
                + " events in epoch " + epoch + (dryRun ? "; nothing was changed" : ""));
    }

    void waiting(List<String> open) {
        say("waiting for open transactions, without whose end no slot can be created: " + String.join("; ", open));
    }

    void refused(String reason) {
        say("set aside, and what its aggregate published since: " + reason);
    }

    void created(long lsn) {
        say("slot " + source.slot() + " begins at " + Standing.text(lsn));
    }

    void done(long events, long setAside, int epoch, Duration took) {
        say(String.format(
                java.util.Locale.ROOT,
                "published %d events in epoch %d in %.1f s%s; the relay goes on from here by itself",
                events,
                epoch,
                took.toNanos() / NANOS_PER_SECOND,
                setAside == 0 ? "" : ", and set " + setAside + " aside in tributary.dead_letter ('relay parked')"));
    }
}

package dev.tributary.samples.demo;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** What the run came to, for people. */
final class Report {
    private static final int EXAMPLES_MAX = 5;

    private final PrintStream out;

    Report(PrintStream out) {
        this.out = out;
    }

    void print(Findings findings, Verdict verdict, List<Outage> outages, Reads.Found reads, boolean passed) {
        List<Outage> whole =
                outages.stream().map(outage -> outage.untilMadeUpFor(findings)).toList();
        Latencies undisturbed = Latencies.ofUndisturbed(findings, whole);
        out.println();
        line(
                "Events committed",
                verdict.committed(),
                "by sales " + number(findings.committedBy(Services.SALES)) + ", by fulfilment "
                        + number(findings.committedBy(Services.FULFILMENT)));
        line("Events in Kafka", verdict.delivered(), verdict.repeated() + " repeated in a topic, which consumers drop");
        line("Events applied", verdict.applied(), "to support's view");
        line("Rows compared", verdict.rows(), "of support's view, with sales' and fulfilment's tables");
        out.println();
        line("Lost", verdict.lost().size(), "committed, but missing in Kafka or in the view");
        line("Doubled", verdict.doubled().size(), "took effect more often than committed");
        line("Out of order", verdict.outOfOrder().size(), "per aggregate, and per source in each partition");
        line("Rows that differ", verdict.different().size(), "");
        out.println();
        out.println("From commit at the source to the commit that made it visible in support's view (both as noted by");
        out.println("PostgreSQL; orders and shipments):");
        out.println("  all                " + Latencies.ofAll(findings) + "   (waiting out the faults included)");
        out.println("  while all was up   " + undisturbed + "   (" + number(undisturbed.count()) + " events)");
        out.println();
        out.println("Customers who looked for their order at support with the token from sales, at once:");
        out.println(String.format(
                Locale.ROOT,
                "  %,d saw it (p50 %.0f ms, p99 %.0f ms), %,d were told that it is not there yet, %,d met a fault, %,d did"
                        + " not see what they were told is there",
                reads.seen(),
                reads.p50Millis(),
                reads.p99Millis(),
                reads.notYet(),
                reads.unanswered(),
                reads.missed()));
        out.println();
        examples("lost", verdict.lost());
        examples("doubled", verdict.doubled());
        examples("out of order", verdict.outOfOrder());
        examples("different", verdict.different());
        out.println(passed ? "VERDICT: passed" : "VERDICT: FAILED");
    }

    private void line(String what, long count, String detail) {
        out.println(String.format(Locale.ROOT, "%-18s%,9d   %s", what, count, detail)
                .stripTrailing());
    }

    private void examples(String kind, List<String> all) {
        all.stream().limit(EXAMPLES_MAX).forEach(one -> out.println(kind + ": " + one));
        if (all.size() > EXAMPLES_MAX) {
            out.println(kind + ": and " + number(all.size() - EXAMPLES_MAX) + " more");
        }
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}

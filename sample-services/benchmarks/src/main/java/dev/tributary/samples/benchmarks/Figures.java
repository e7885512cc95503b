package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/** How figures are written; NaN, of what did not take part, is left out. */
final class Figures {
    private Figures() {}

    /** Adds a cell to a row of a table in Markdown. */
    static void cell(StringBuilder table, String format, double value) {
        table.append(" | ").append(Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, value));
    }

    /** With three decimals. */
    static void put(ObjectNode node, String name, double value) {
        if (!Double.isNaN(value)) {
            node.put(name, Math.round(value * 1_000) / 1_000.0);
        }
    }
}

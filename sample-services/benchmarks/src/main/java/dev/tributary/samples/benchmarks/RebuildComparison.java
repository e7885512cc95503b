package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** All rounds over one row set; its figures are medians of the rounds. Not thread-safe. */
final class RebuildComparison {
    private final RowSet rowSet;
    private final List<ApplyMeasurement> applied = new ArrayList<>();
    private final List<ApplyMeasurement> rebuilt = new ArrayList<>();

    RebuildComparison(RowSet rowSet) {
        this.rowSet = rowSet;
    }

    void add(ApplyMeasurement apply, ApplyMeasurement rebuild) {
        applied.add(apply);
        rebuilt.add(rebuild);
    }

    private double ofApply() {
        return Measurement.median(rebuilt, ApplyMeasurement::eventsPerSecond)
                / Measurement.median(applied, ApplyMeasurement::eventsPerSecond);
    }

    /** A table in Markdown. */
    String table() {
        return "### " + rowSet.title()
                + "\n\n| | events/s | events per CPU-s, process | events per CPU-s, PostgreSQL | of apply |\n"
                + "|---|--:|--:|--:|--:|\n"
                + row("a subscription applies them", applied, 1)
                + row("a version of a view is built from them", rebuilt, ofApply());
    }

    private static String row(String title, List<ApplyMeasurement> measured, double ofApply) {
        return String.format(
                Locale.ROOT,
                "| %s | %,.0f | %,.0f | %,.0f | %.2f |%n",
                title,
                Measurement.median(measured, ApplyMeasurement::eventsPerSecond),
                Measurement.median(measured, ApplyMeasurement::eventsPerProcessCpuSecond),
                Measurement.median(measured, ApplyMeasurement::eventsPerBackendCpuSecond),
                ofApply);
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("rows", rowSet.name().toLowerCase(Locale.ROOT));
        json.put("ofApply", Math.round(ofApply() * 1_000) / 1_000.0);
        applied.forEach(json.withArray("apply")::addPOJO);
        rebuilt.forEach(json.withArray("rebuild")::addPOJO);
        return json;
    }
}

package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** All rounds of all appliers over one row set; its figures are medians of the rounds. Not thread-safe. */
final class ApplyComparison {
    private final RowSet rowSet;
    private final Map<Applier, List<ApplyMeasurement>> rounds = new EnumMap<>(Applier.class);

    ApplyComparison(RowSet rowSet) {
        this.rowSet = rowSet;
    }

    void add(Applier applier, ApplyMeasurement measurement) {
        rounds.computeIfAbsent(applier, a -> new ArrayList<>()).add(measurement);
    }

    /** NaN for one that did not take part. */
    private double median(Applier applier, ToDoubleFunction<ApplyMeasurement> of) {
        List<ApplyMeasurement> measured = rounds.get(applier);
        return measured == null ? Double.NaN : Measurement.median(measured, of);
    }

    private double ratio(Applier applier, Applier to, ToDoubleFunction<ApplyMeasurement> of) {
        return median(applier, of) / median(to, of);
    }

    /** A table in Markdown. */
    String table() {
        StringBuilder table = new StringBuilder("### ")
                .append(rowSet.title())
                .append(
                        "\n\n| | events/s | events per CPU-s, process | events per CPU-s, PostgreSQL | events per CPU-s, both"
                                + " | of the bare loop | × inbox | of COPY | × Debezium per CPU-s, both |\n"
                                + "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for (Applier applier : rounds.keySet()) {
            table.append("| ").append(applier.title());
            Figures.cell(table, "%,.0f", median(applier, ApplyMeasurement::eventsPerSecond));
            Figures.cell(table, "%,.0f", median(applier, ApplyMeasurement::eventsPerProcessCpuSecond));
            Figures.cell(table, "%,.0f", median(applier, ApplyMeasurement::eventsPerBackendCpuSecond));
            Figures.cell(table, "%,.0f", median(applier, ApplyMeasurement::eventsPerCpuSecond));
            Figures.cell(table, "%.2f", ratio(applier, Applier.BARE, ApplyMeasurement::eventsPerSecond));
            Figures.cell(table, "%.1f", ratio(applier, Applier.INBOX, ApplyMeasurement::eventsPerSecond));
            Figures.cell(table, "%.2f", ratio(applier, Applier.COPY, ApplyMeasurement::eventsPerSecond));
            Figures.cell(table, "%.2f", ratio(applier, Applier.DEBEZIUM_SINK, ApplyMeasurement::eventsPerCpuSecond));
            table.append(" |\n");
        }
        return table.toString();
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("rows", rowSet.name().toLowerCase(Locale.ROOT));
        ObjectNode appliers = json.putObject("appliers");
        for (Map.Entry<Applier, List<ApplyMeasurement>> entry : rounds.entrySet()) {
            Applier applier = entry.getKey();
            ObjectNode node = appliers.putObject(applier.key());
            Figures.put(node, "eventsPerSecond", median(applier, ApplyMeasurement::eventsPerSecond));
            Figures.put(
                    node, "eventsPerProcessCpuSecond", median(applier, ApplyMeasurement::eventsPerProcessCpuSecond));
            Figures.put(
                    node, "eventsPerBackendCpuSecond", median(applier, ApplyMeasurement::eventsPerBackendCpuSecond));
            Figures.put(node, "eventsPerCpuSecond", median(applier, ApplyMeasurement::eventsPerCpuSecond));
            Figures.put(node, "ofBareLoop", ratio(applier, Applier.BARE, ApplyMeasurement::eventsPerSecond));
            Figures.put(node, "toInbox", ratio(applier, Applier.INBOX, ApplyMeasurement::eventsPerSecond));
            Figures.put(node, "ofCopy", ratio(applier, Applier.COPY, ApplyMeasurement::eventsPerSecond));
            Figures.put(
                    node,
                    "toDebeziumPerCpuSecond",
                    ratio(applier, Applier.DEBEZIUM_SINK, ApplyMeasurement::eventsPerCpuSecond));
            entry.getValue().forEach(node.withArray("rounds")::addPOJO);
        }
        return json;
    }
}

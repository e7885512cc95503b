package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/** All rounds of all contestants over one workload; its figures are medians of the rounds. Not thread-safe. */
final class Comparison {
    private static final double MEGABYTE = 1e6;

    private final Workload workload;
    private final Map<Contestant, List<Measurement>> rounds = new EnumMap<>(Contestant.class);

    Comparison(Workload workload) {
        this.workload = workload;
    }

    void add(Contestant contestant, Measurement measurement) {
        rounds.computeIfAbsent(contestant, c -> new ArrayList<>()).add(measurement);
    }

    /** NaN for one that did not take part. */
    private double median(Contestant contestant, ToDoubleFunction<Measurement> of) {
        List<Measurement> measured = rounds.get(contestant);
        return measured == null ? Double.NaN : Measurement.median(measured, of);
    }

    private double eventsPerSecond(Contestant contestant) {
        return median(contestant, Measurement::eventsPerSecond);
    }

    private double smallerLimit() {
        return DoubleStream.of(eventsPerSecond(Contestant.WALSENDER), eventsPerSecond(Contestant.PRODUCER))
                .filter(limit -> !Double.isNaN(limit))
                .min()
                .orElse(Double.NaN);
    }

    private double toDebezium(Contestant contestant, ToDoubleFunction<Measurement> of) {
        return median(contestant, of) / median(Contestant.DEBEZIUM, of);
    }

    /** A table in Markdown. */
    String table() {
        StringBuilder table = new StringBuilder("### " + workload.title() + "\n\n")
                .append("| | events/s | payload MB/s | events per CPU-s, process | events per CPU-s, walsender"
                        + " | of the smaller limit | × Debezium | × Debezium per CPU-s |\n")
                .append("|---|--:|--:|--:|--:|--:|--:|--:|\n");
        for (Contestant contestant : rounds.keySet()) {
            double eventsPerSecond = eventsPerSecond(contestant);
            table.append("| ").append(contestant.title());
            Figures.cell(table, "%,.0f", eventsPerSecond);
            Figures.cell(table, "%,.1f", eventsPerSecond * workload.payloadBytes() / MEGABYTE);
            Figures.cell(table, "%,.0f", median(contestant, Measurement::eventsPerProcessCpuSecond));
            Figures.cell(table, "%,.0f", median(contestant, Measurement::eventsPerWalsenderCpuSecond));
            Figures.cell(table, "%.2f", eventsPerSecond / smallerLimit());
            boolean moves = contestant.readsWal() && contestant.writesToKafka();
            Figures.cell(table, "%.2f", moves ? toDebezium(contestant, Measurement::eventsPerSecond) : Double.NaN);
            Figures.cell(
                    table, "%.2f", moves ? toDebezium(contestant, Measurement::eventsPerProcessCpuSecond) : Double.NaN);
            table.append(" |\n");
        }
        return table.toString();
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("payloadBytes", workload.payloadBytes())
                .put("eventsPerTransaction", workload.eventsPerTransaction())
                .put("warmUpEvents", workload.warmUpEvents())
                .put("measuredEvents", workload.measuredEvents());
        Figures.put(json, "smallerLimitEventsPerSecond", smallerLimit());
        ObjectNode contestants = json.putObject("contestants");
        for (Map.Entry<Contestant, List<Measurement>> entry : rounds.entrySet()) {
            Contestant contestant = entry.getKey();
            ObjectNode node = contestants.putObject(contestant.key());
            Figures.put(node, "eventsPerSecond", eventsPerSecond(contestant));
            Figures.put(
                    node,
                    "payloadMegabytesPerSecond",
                    eventsPerSecond(contestant) * workload.payloadBytes() / MEGABYTE);
            Figures.put(node, "eventsPerProcessCpuSecond", median(contestant, Measurement::eventsPerProcessCpuSecond));
            Figures.put(
                    node, "eventsPerWalsenderCpuSecond", median(contestant, Measurement::eventsPerWalsenderCpuSecond));
            Figures.put(node, "ofSmallerLimit", eventsPerSecond(contestant) / smallerLimit());
            Figures.put(node, "toDebezium", toDebezium(contestant, Measurement::eventsPerSecond));
            Figures.put(node, "toDebeziumPerCpuSecond", toDebezium(contestant, Measurement::eventsPerProcessCpuSecond));
            entry.getValue().forEach(node.withArray("rounds")::addPOJO);
        }
        return json;
    }
}

package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * All rounds of all contenders in one setting; its figures are medians of the rounds, its ratios medians of the rounds' ratios.
 * Not thread-safe.
 */
final class WriteComparison {
    private final WriteSetting setting;
    private final Map<WriteContender, List<WriteMeasurement>> rounds = new EnumMap<>(WriteContender.class);

    WriteComparison(WriteSetting setting) {
        this.setting = setting;
    }

    WriteSetting setting() {
        return setting;
    }

    void add(WriteContender contender, WriteMeasurement measurement) {
        rounds.computeIfAbsent(contender, c -> new ArrayList<>()).add(measurement);
    }

    /** NaN for one that did not take part. */
    private double median(WriteContender contender, ToDoubleFunction<WriteMeasurement> of) {
        List<WriteMeasurement> measured = rounds.get(contender);
        return measured == null ? Double.NaN : Measurement.median(measured, of);
    }

    /** NaN if one of them did not take part. */
    double ratio(WriteContender contender, WriteContender to, ToDoubleFunction<WriteMeasurement> of) {
        List<WriteMeasurement> measured = rounds.get(contender);
        List<WriteMeasurement> compared = rounds.get(to);
        return measured == null || compared == null
                ? Double.NaN
                : Measurement.median(
                        IntStream.range(0, measured.size()).boxed().toList(),
                        round -> of.applyAsDouble(measured.get(round)) / of.applyAsDouble(compared.get(round)));
    }

    /** A table in Markdown. */
    String table() {
        StringBuilder table = new StringBuilder("### ")
                .append(setting.title())
                .append("\n\n| | transactions/s | events/s | of the INSERT by hand | of no event"
                        + " | transactions per CPU-s, clients | PostgreSQL | both | of the INSERT by hand"
                        + " | p50, ms | p99, ms |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for (WriteContender contender : rounds.keySet()) {
            table.append("| ").append(contender.title());
            Figures.cell(table, "%,.0f", median(contender, WriteMeasurement::transactionsPerSecond));
            Figures.cell(
                    table,
                    "%,.0f",
                    contender.writesEvents() ? median(contender, WriteMeasurement::eventsPerSecond) : Double.NaN);
            Figures.cell(table, "%.2f", ratio(contender, WriteContender.HAND, WriteMeasurement::transactionsPerSecond));
            Figures.cell(table, "%.2f", ratio(contender, WriteContender.BARE, WriteMeasurement::transactionsPerSecond));
            Figures.cell(table, "%,.0f", median(contender, WriteMeasurement::transactionsPerClientCpuSecond));
            Figures.cell(table, "%,.0f", median(contender, WriteMeasurement::transactionsPerBackendCpuSecond));
            Figures.cell(table, "%,.0f", median(contender, WriteMeasurement::transactionsPerCpuSecond));
            Figures.cell(
                    table, "%.2f", ratio(contender, WriteContender.HAND, WriteMeasurement::transactionsPerCpuSecond));
            Figures.cell(table, "%.2f", median(contender, WriteMeasurement::p50Millis));
            Figures.cell(table, "%.2f", median(contender, WriteMeasurement::p99Millis));
            table.append(" |\n");
        }
        return table.toString();
    }

    ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("clients", setting.clients())
                .put("eventsPerTransaction", setting.eventsPerTransaction())
                .put("hot", setting.hot());
        ObjectNode contenders = json.putObject("contenders");
        for (Map.Entry<WriteContender, List<WriteMeasurement>> entry : rounds.entrySet()) {
            WriteContender contender = entry.getKey();
            ObjectNode node = contenders.putObject(contender.key());
            Figures.put(node, "transactionsPerSecond", median(contender, WriteMeasurement::transactionsPerSecond));
            Figures.put(node, "ofHand", ratio(contender, WriteContender.HAND, WriteMeasurement::transactionsPerSecond));
            Figures.put(node, "ofBare", ratio(contender, WriteContender.BARE, WriteMeasurement::transactionsPerSecond));
            Figures.put(
                    node, "transactionsPerCpuSecond", median(contender, WriteMeasurement::transactionsPerCpuSecond));
            Figures.put(
                    node,
                    "ofHandPerCpuSecond",
                    ratio(contender, WriteContender.HAND, WriteMeasurement::transactionsPerCpuSecond));
            Figures.put(node, "p50Millis", median(contender, WriteMeasurement::p50Millis));
            Figures.put(node, "p99Millis", median(contender, WriteMeasurement::p99Millis));
            entry.getValue().forEach(node.withArray("rounds")::addPOJO);
        }
        return json;
    }
}

package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The same figures of a series of sizes, and what they come to from the first size to the last. Not thread-safe. */
final class FigureTable {
    private final String sizeKey;
    private final String sizeTitle;
    private final Growth growth;
    private final List<Integer> sizes = new ArrayList<>();
    private final Map<String, Row> rows = new LinkedHashMap<>();

    /** What the last column says. */
    enum Growth {
        /** What each one beyond the first size costs. */
        EACH_FURTHER("each further") {
            @Override
            double of(double first, double last, int firstSize, int lastSize) {
                return (last - first) / (lastSize - firstSize);
            }
        },
        /** The last figure by the first. */
        RATIO("last / first") {
            @Override
            double of(double first, double last, int firstSize, int lastSize) {
                return last / first;
            }
        };

        private final String title;

        Growth(String title) {
            this.title = title;
        }

        abstract double of(double first, double last, int firstSize, int lastSize);
    }

    private record Row(String title, String format, List<Double> values) {}

    /** @param sizeTitle what the sizes are of, for people */
    FigureTable(String sizeKey, String sizeTitle, Growth growth) {
        this.sizeKey = sizeKey;
        this.sizeTitle = sizeTitle;
        this.growth = growth;
    }

    /** What follows is of this size. */
    void begin(int size) {
        sizes.add(size);
    }

    /** @param title with its unit, for people */
    void put(String key, String title, String format, double value) {
        List<Double> values = rows.computeIfAbsent(key, k -> new Row(title, format, new ArrayList<>())).values;
        while (values.size() < sizes.size() - 1) {
            values.add(Double.NaN);
        }
        values.add(value);
    }

    /** In Markdown: a column for each size. */
    String markdown() {
        StringBuilder table = new StringBuilder("| ").append(sizeTitle).append(" |");
        sizes.forEach(size -> table.append(String.format(" %,d |", size)));
        table.append(' ').append(growth.title).append(" |\n|---|").append("--:|".repeat(sizes.size() + 1));
        for (Row row : rows.values()) {
            table.append("\n| ").append(row.title);
            for (int i = 0; i < sizes.size(); i++) {
                Figures.cell(table, row.format, i < row.values.size() ? row.values.get(i) : Double.NaN);
            }
            Figures.cell(table, "%.2f", growth(row));
            table.append(" |");
        }
        return table.append('\n').toString();
    }

    private double growth(Row row) {
        int last = sizes.size() - 1;
        return last < 1 || row.values.size() <= last
                ? Double.NaN
                : growth.of(row.values.get(0), row.values.get(last), sizes.get(0), sizes.get(last));
    }

    ArrayNode json() {
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i < sizes.size(); i++) {
            ObjectNode node = json.addObject().put(sizeKey, sizes.get(i));
            for (Map.Entry<String, Row> row : rows.entrySet()) {
                if (i < row.getValue().values.size()) {
                    Figures.put(node, row.getKey(), row.getValue().values.get(i));
                }
            }
        }
        return json;
    }
}

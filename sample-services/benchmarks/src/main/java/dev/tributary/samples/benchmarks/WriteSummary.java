package dev.tributary.samples.benchmarks;

import java.util.Collection;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Ratios of all settings side by side, as tables in Markdown. */
final class WriteSummary {
    private WriteSummary() {}

    static String of(Collection<WriteContender> contenders, List<WriteComparison> comparisons) {
        return table(
                        "Transactions/s, of the INSERT by hand",
                        contenders,
                        comparisons,
                        WriteMeasurement::transactionsPerSecond)
                + "\n"
                + table(
                        "Transactions per CPU-second of both, of the INSERT by hand",
                        contenders,
                        comparisons,
                        WriteMeasurement::transactionsPerCpuSecond);
    }

    private static String table(
            String title,
            Collection<WriteContender> contenders,
            List<WriteComparison> comparisons,
            ToDoubleFunction<WriteMeasurement> of) {
        StringBuilder table = new StringBuilder("### ").append(title).append("\n\n| clients × events");
        comparisons.forEach(comparison -> table.append(" | ")
                .append(comparison.setting().clients())
                .append(" × ")
                .append(comparison.setting().eventsPerTransaction()));
        table.append(" |\n|---").append("|--:".repeat(comparisons.size())).append("|\n");
        for (WriteContender contender : contenders) {
            table.append("| ").append(contender.title());
            comparisons.forEach(
                    comparison -> Figures.cell(table, "%.2f", comparison.ratio(contender, WriteContender.HAND, of)));
            table.append(" |\n");
        }
        return table.toString();
    }
}

package dev.tributary.samples.demo;

import dev.tributary.samples.demo.Findings.Committed;
import dev.tributary.samples.demo.Findings.Delivered;
import dev.tributary.samples.demo.Findings.Effect;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Whether what was committed, and nothing else, has arrived: once, in order, unchanged.
 *
 * @param committed events in the sources' outbox tables
 * @param delivered different events in the topics
 * @param repeated records in the topics beyond the first of each event; consumers drop them
 * @param applied events that went into support's tables
 * @param rows of support's view that were compared
 * @param lost what each lost event is; empty if none is
 * @param doubled what each event is that took effect more often than it was committed
 * @param outOfOrder what each event is that lies in the wrong place in its topic, or has the wrong number at its source
 * @param different rows of support's view that are missing, wrong, or should not be
 */
record Verdict(
        long committed,
        long delivered,
        long repeated,
        long applied,
        long rows,
        List<String> lost,
        List<String> doubled,
        List<String> outOfOrder,
        List<String> different) {

    static Verdict on(Findings findings) {
        Map<String, Delivered> first = new HashMap<>();
        List<Delivered> inOrder = new ArrayList<>();
        for (Delivered record : findings.delivered()) {
            if (first.putIfAbsent(record.id(), record) == null) {
                inOrder.add(record);
            }
        }
        List<String> lost = new ArrayList<>();
        List<String> doubled = new ArrayList<>();
        for (String order : findings.acknowledged()) {
            if (!findings.truth().containsKey("order " + order)) {
                lost.add("order " + order + " was acknowledged, but sales does not have it");
            }
        }
        compareTopics(findings.committed(), first, lost, doubled);
        compareEffects(findings.committed(), findings.effects(), lost, doubled);
        List<String> outOfOrder = new ArrayList<>(misnumbered(findings.committed()));
        outOfOrder.addAll(misplaced(inOrder));
        Set<String> rows = new TreeSet<>(findings.truth().keySet());
        rows.addAll(findings.shown().keySet());
        return new Verdict(
                findings.committed().size(),
                inOrder.size(),
                findings.delivered().size() - inOrder.size(),
                findings.applied(),
                rows.size(),
                lost,
                doubled,
                outOfOrder,
                different(rows, findings.truth(), findings.shown()));
    }

    /** An empty run proves nothing, so it does not pass. */
    boolean passed() {
        return committed > 0 && lost.isEmpty() && doubled.isEmpty() && outOfOrder.isEmpty() && different.isEmpty();
    }

    private static void compareTopics(
            List<Committed> committed, Map<String, Delivered> delivered, List<String> lost, List<String> doubled) {
        Set<String> unknown = new HashSet<>(delivered.keySet());
        for (Committed event : committed) {
            unknown.remove(event.id());
            if (!delivered.containsKey(event.id())) {
                lost.add(event.aggregate() + " event " + event.sequence() + " is not in Kafka");
            }
        }
        unknown.forEach(id -> doubled.add(delivered.get(id) + " was never committed"));
    }

    private static void compareEffects(
            List<Committed> committed, Map<String, Effect> effects, List<String> lost, List<String> doubled) {
        Map<String, Long> expected =
                committed.stream().collect(Collectors.groupingBy(Committed::effect, Collectors.counting()));
        Set<String> all = new TreeSet<>(expected.keySet());
        all.addAll(effects.keySet());
        for (String effect : all) {
            long wanted = expected.getOrDefault(effect, 0L);
            Effect found = effects.get(effect);
            long times = found == null ? 0 : found.times();
            for (long missing = times; missing < wanted; missing++) {
                lost.add(effect + ": committed " + wanted + " times, applied " + times + " times");
            }
            for (long extra = wanted; extra < times; extra++) {
                doubled.add(effect + ": committed " + wanted + " times, applied " + times + " times");
            }
        }
    }

    /** Aggregates whose events are not numbered 1, 2, 3 … at their source. */
    private static List<String> misnumbered(List<Committed> committed) {
        Map<String, Set<Long>> numbers = committed.stream()
                .collect(Collectors.groupingBy(
                        Committed::aggregate,
                        TreeMap::new,
                        Collectors.mapping(Committed::sequence, Collectors.toCollection(TreeSet::new))));
        Map<String, Long> counts =
                committed.stream().collect(Collectors.groupingBy(Committed::aggregate, Collectors.counting()));
        return numbers.entrySet().stream()
                .filter(each -> !each.getValue().containsAll(oneTo(counts.getOrDefault(each.getKey(), 0L))))
                .map(each -> each.getKey() + " has events " + each.getValue() + " at its source")
                .toList();
    }

    private static Set<Long> oneTo(long last) {
        return java.util.stream.LongStream.rangeClosed(1, last).boxed().collect(Collectors.toSet());
    }

    /** Events behind a later one of their aggregate, or behind a later position of their source in the partition. */
    private static List<String> misplaced(List<Delivered> records) {
        Map<String, Delivered> lastOfAggregate = new HashMap<>();
        Map<String, Delivered> lastOfPartition = new HashMap<>();
        List<String> misplaced = new ArrayList<>();
        for (Delivered record : records) {
            Delivered sibling = lastOfAggregate.put(record.aggregate(), record);
            Delivered neighbour = lastOfPartition.put(record.source() + " " + record.partition(), record);
            boolean inOrder = (sibling == null
                            || (sibling.sequence() < record.sequence()
                                    && sibling.partition().equals(record.partition())))
                    && (neighbour == null || neighbour.position().compareTo(record.position()) < 0);
            if (!inOrder) {
                misplaced.add(record + " comes after " + (sibling == null ? neighbour : sibling));
            }
        }
        return misplaced;
    }

    private static List<String> different(Set<String> rows, Map<String, String> truth, Map<String, String> shown) {
        Function<String, String> explain = row -> row + ": is " + shown.getOrDefault(row, "missing") + ", should be "
                + truth.getOrDefault(row, "missing");
        return rows.stream()
                .filter(row -> !shown.containsKey(row) || !shown.get(row).equals(truth.get(row)))
                .map(explain)
                .toList();
    }
}

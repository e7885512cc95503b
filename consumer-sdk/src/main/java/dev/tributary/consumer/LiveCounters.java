package dev.tributary.consumer;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What an instance has done with a partition, while it counts. Thread-safe. */
final class LiveCounters {
    enum What {
        APPLIED,
        DUPLICATES,
        SKIPPED,
        GARBAGE,
        PARKED,
        REDRIVEN,
        DISCARDED,
        BATCHES,
        RETRIES,
        FENCED
    }

    private final Map<What, LongAdder> counts = new ConcurrentHashMap<>();

    void add(What what, long n) {
        counts.computeIfAbsent(what, w -> new LongAdder()).add(n);
    }

    SubscriptionStatus.Counters read() {
        return sum(List.of(this));
    }

    static SubscriptionStatus.Counters sum(Collection<LiveCounters> all) {
        return new SubscriptionStatus.Counters(
                sum(all, What.APPLIED),
                sum(all, What.DUPLICATES),
                sum(all, What.SKIPPED),
                sum(all, What.GARBAGE),
                sum(all, What.PARKED),
                sum(all, What.REDRIVEN),
                sum(all, What.DISCARDED),
                sum(all, What.BATCHES),
                sum(all, What.RETRIES),
                sum(all, What.FENCED));
    }

    private static long sum(Collection<LiveCounters> all, What what) {
        return all.stream().mapToLong(each -> each.read(what)).sum();
    }

    private long read(What what) {
        LongAdder count = counts.get(what);
        return count == null ? 0 : count.sum();
    }
}

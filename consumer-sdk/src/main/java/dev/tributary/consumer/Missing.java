package dev.tributary.consumer;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Numbers that have not come, and that nobody has decided to do without.
 *
 * @param first the first of them
 * @param next the one that came instead
 * @param numbers all of them, for people
 */
record Missing(long first, long next, String numbers) {
    /**
     * What is missing between two numbers.
     *
     * @param discarded those between that are not missing, in their order
     * @return null if nothing is
     */
    static @Nullable Missing between(long last, long next, List<Long> discarded) {
        List<String> ranges = new ArrayList<>();
        long first = 0;
        long from = last + 1;
        for (int i = 0; i <= discarded.size(); i++) {
            long until = i < discarded.size() ? discarded.get(i) : next;
            if (from < until) {
                first = first == 0 ? from : first;
                ranges.add(from == until - 1 ? "" + from : from + " to " + (until - 1));
            }
            from = until + 1;
        }
        return ranges.isEmpty() ? null : new Missing(first, next, String.join(", ", ranges));
    }

    String describe() {
        boolean one = numbers.equals(Long.toString(first));
        return "sequence " + next + " came, " + numbers + (one ? " is" : " are") + " missing";
    }
}

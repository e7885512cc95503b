package dev.tributary.samples.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/**
 * What lies in the WAL for one comparison: first events that only warm the JVMs up, then the measured ones, then as
 * many as fill a contestant's buffers, so that it does not run dry while it is measured. All are alike.
 *
 * @param payloadBytes size of each event's payload
 */
record Workload(int payloadBytes, int eventsPerTransaction, int warmUpEvents, int measuredEvents, int restEvents) {
    static final String AGGREGATE_TYPE = "order";
    static final String EVENT_TYPE = "order.placed.v1";
    static final String CONTENT_TYPE = "application/json";
    /** Different payloads; together far more than a compressor's window, so that repeats do not compress away. */
    static final int PAYLOADS = 1_024;

    static final int AGGREGATES = 10_007;

    private static final String[] WORDS = {
        "amount", "article", "blue", "customer", "price", "quantity", "total", "street"
    };

    /** As few as it takes to keep all payloads together under {@code bytesMax}. */
    Workload limitedTo(long bytesMax) {
        double share = Math.min(1, (double) bytesMax / ((long) payloadBytes * events()));
        return new Workload(
                payloadBytes, eventsPerTransaction, (int) (warmUpEvents * share), (int) (measuredEvents * share), (int)
                        (restEvents * share));
    }

    int events() {
        return warmUpEvents + measuredEvents + restEvents;
    }

    String title() {
        return payloadBytes + " B, " + eventsPerTransaction + " per transaction";
    }

    /** JSON of exactly {@code payloadBytes}; the same for the same {@code number}. */
    byte[] payload(int number) {
        Random random = new Random(number);
        StringBuilder json = new StringBuilder("{\"orderId\":\"");
        json.append(new java.util.UUID(random.nextLong(), random.nextLong())).append("\",\"text\":\"");
        while (json.length() < payloadBytes) {
            json.append(WORDS[random.nextInt(WORDS.length)])
                    .append(' ')
                    .append(random.nextInt(1_000_000))
                    .append(' ');
        }
        json.setLength(payloadBytes - 2);
        return json.append("\"}").toString().getBytes(StandardCharsets.US_ASCII);
    }

    static String aggregateId(int number) {
        return "order-" + number % AGGREGATES;
    }
}

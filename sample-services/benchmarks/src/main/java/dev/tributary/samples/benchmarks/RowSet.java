package dev.tributary.samples.benchmarks;

import java.util.Random;

/** Whose rows the events change. */
enum RowSet {
    /** Ten events for each customer on average, and a fifth of the customers has about half of all events. */
    REPEATED("10 events per row on average"),
    /** Every event inserts a row of its own: there is nothing to collapse. */
    DISTINCT("every event a row of its own");

    private static final int EVENTS_PER_CUSTOMER = 10;

    private final String title;

    RowSet(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** The customer of each event, the same for the same {@code count}. */
    int[] customers(int count) {
        int[] customers = new int[count];
        Random random = new Random(count);
        for (int i = 0; i < count; i++) {
            double place = random.nextDouble();
            customers[i] = this == DISTINCT ? i : (int) (place * place * Math.max(1, count / EVENTS_PER_CUSTOMER));
        }
        return customers;
    }
}

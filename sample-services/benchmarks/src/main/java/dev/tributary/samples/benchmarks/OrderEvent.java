package dev.tributary.samples.benchmarks;

import io.eventuate.tram.events.common.DomainEvent;

/**
 * What every writer announces, each in the JSON of its own library: some 300 bytes. The interface is one that Eventuate asks
 * for.
 */
record OrderEvent(String orderId, String customer, long totalCents, String currency, String address, String note)
        implements DomainEvent {
    static final String NAME = "order.placed";

    /** What each aggregate has before anybody writes. */
    static final String FIRST = """
            {"orderId":"","customer":"","totalCents":1,"currency":"EUR","address":"","note":""}""";

    private static final String ADDRESS = "Kastanienallee 12, 10435 Berlin, third floor, ring twice";
    private static final String NOTE =
            "leave it with the neighbours if nobody opens, but not with those on the ground floor;"
                    + " the last two deliveries never arrived";

    static OrderEvent of(int aggregate, long number) {
        return new OrderEvent(
                WriteJob.aggregateId(aggregate), "customer " + number % 1_000, number, "EUR", ADDRESS, NOTE);
    }
}

package dev.tributary.samples.sales;

import io.micronaut.runtime.Micronaut;

/** Takes orders over HTTP and announces them; learns from fulfilment that they shipped. */
public final class SalesService {
    private SalesService() {}

    public static void main(String[] args) {
        Micronaut.run(SalesService.class, args);
    }
}

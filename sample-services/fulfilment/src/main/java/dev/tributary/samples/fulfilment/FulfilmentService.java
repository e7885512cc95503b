package dev.tributary.samples.fulfilment;

import io.micronaut.runtime.Micronaut;

/** Ships what sales announces and announces the shipments. */
public final class FulfilmentService {
    private FulfilmentService() {}

    public static void main(String[] args) {
        Micronaut.run(FulfilmentService.class, args);
    }
}

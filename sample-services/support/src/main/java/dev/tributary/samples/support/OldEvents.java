package dev.tributary.samples.support;

import dev.tributary.outbox.schema.Upcasters;
import io.micronaut.context.annotation.Factory;
import jakarta.inject.Singleton;

/**
 * What events of old types are today. Topics keep them, so their upcasters stay, even though sales writes only the new
 * ones by now. They were deployed before sales wrote the first of those.
 */
@Factory
final class OldEvents {
    @Singleton
    Upcasters upcasters() {
        return Upcasters.builder()
                .upcast("customer.renamed.v1", "customer.renamed.v2", renamed -> {
                    // While sales moved from one to the other it wrote both
                    if (!renamed.has("newName")) {
                        renamed.set("newName", renamed.get("name"));
                    }
                    return renamed;
                })
                .build();
    }
}

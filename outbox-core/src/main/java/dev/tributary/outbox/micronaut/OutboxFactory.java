package dev.tributary.outbox.micronaut;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.schema.Upcasters;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Property;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.value.PropertyResolver;
import jakarta.inject.Singleton;
import org.jspecify.annotations.Nullable;

/**
 * Makes the {@link Outbox} and the {@link EventStore} from the application's {@link EventTypes}, unless the application has
 * its own. The store reads old types with the application's {@link Upcasters}, if it has any.
 */
@Factory
final class OutboxFactory {
    private static final String PAYLOAD_BYTES_MAX = "tributary.outbox.payload-bytes-max";

    @Singleton
    @Requires(beans = EventTypes.class, missingBeans = Outbox.class)
    Outbox outbox(
            EventTypes types,
            @Nullable ObjectMapper objectMapper,
            @Nullable @Property(name = PAYLOAD_BYTES_MAX) Integer payloadBytesMax,
            @Nullable @Property(name = "tributary.outbox.source") String source,
            PropertyResolver properties) {
        Outbox.Builder outbox = Outbox.builder(types);
        if (objectMapper != null) {
            outbox.objectMapper(forEvents(objectMapper, properties));
        }
        if (payloadBytesMax != null) {
            outbox.payloadBytesMax(payloadBytesMax);
        }
        if (source != null) {
            outbox.source(source);
        }
        return outbox.build();
    }

    @Singleton
    @Requires(beans = EventTypes.class, missingBeans = EventStore.class)
    EventStore eventStore(
            EventTypes types,
            @Nullable ObjectMapper objectMapper,
            @Nullable Upcasters upcasters,
            @Nullable @Property(name = PAYLOAD_BYTES_MAX) Integer payloadBytesMax,
            PropertyResolver properties) {
        EventStore.Builder store = EventStore.builder(types);
        if (objectMapper != null) {
            store.objectMapper(forEvents(objectMapper, properties));
        }
        if (upcasters != null) {
            store.upcasters(upcasters);
        }
        if (payloadBytesMax != null) {
            store.payloadBytesMax(payloadBytesMax);
        }
        return store.build();
    }

    /**
     * The application's mapper, but for two of Micronaut's defaults that suit answers to browsers and not facts for
     * others: dates as numbers, and leaving out what is empty. What the application configures itself holds.
     */
    private static ObjectMapper forEvents(ObjectMapper application, PropertyResolver properties) {
        ObjectMapper mapper = application.copy();
        if (!properties.containsProperty("jackson.serialization.write-dates-as-timestamps")) {
            mapper.disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);
        }
        if (!properties.containsProperty("jackson.serialization-inclusion")) {
            mapper.setDefaultPropertyInclusion(JsonInclude.Include.ALWAYS);
        }
        return mapper;
    }
}

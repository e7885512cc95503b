package dev.tributary.outbox.micronaut;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Outbox;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Property;
import io.micronaut.context.annotation.Requires;
import io.micronaut.core.value.PropertyResolver;
import jakarta.inject.Singleton;
import org.jspecify.annotations.Nullable;

/** Makes the {@link Outbox} from the application's {@link EventTypes}, unless the application has one of its own. */
@Factory
final class OutboxFactory {
    @Singleton
    @Requires(beans = EventTypes.class, missingBeans = Outbox.class)
    Outbox outbox(
            EventTypes types,
            @Nullable ObjectMapper objectMapper,
            @Nullable @Property(name = "tributary.outbox.payload-bytes-max") Integer payloadBytesMax,
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

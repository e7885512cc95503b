package dev.tributary.consumer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import dev.tributary.outbox.wire.WireHeaders;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Turns payload bytes into what a handler wants. Thread-safe. */
final class PayloadReader {
    private final ObjectMapper mapper;
    private final Map<Class<?>, ObjectReader> readers = new ConcurrentHashMap<>();

    PayloadReader(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /** @throws IOException if the payload is not what {@code type} can be made of; the message says where */
    <T> Event<T> read(Event<byte[]> event, Class<T> type) throws IOException {
        T payload = type == byte[].class ? type.cast(event.payload()) : json(event, type);
        return new Event<>(
                event.id(),
                event.source(),
                event.type(),
                event.aggregateType(),
                event.aggregateId(),
                event.sequence(),
                event.position(),
                event.time(),
                event.headers(),
                payload,
                event.topic(),
                event.partition(),
                event.offset());
    }

    private <T> T json(Event<byte[]> event, Class<T> type) throws IOException {
        String contentType = event.headers().getOrDefault(WireHeaders.CONTENT_TYPE, "application/json");
        String mediaType = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        if (!mediaType.endsWith("/json") && !mediaType.endsWith("+json")) {
            throw new IOException(
                    "payload is " + contentType + ", not JSON: register byte[].class to read it as it is");
        }
        T payload = type.cast(readers.computeIfAbsent(type, mapper::readerFor).readValue(event.payload()));
        if (payload == null) {
            throw new IOException("payload is JSON null");
        }
        return payload;
    }
}

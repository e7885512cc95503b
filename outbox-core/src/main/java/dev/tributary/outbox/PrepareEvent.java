package dev.tributary.outbox;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Serialises an event and checks what could not be checked before. Thread-safe. */
final class PrepareEvent {
    private static final String JSON = "application/json";
    private static final JsonFactory HEADERS_FACTORY = new JsonFactory();
    // Grows also within a millisecond; one for the process, so that it does so for all of its outboxes together.
    private static final TimeBasedEpochGenerator IDS = Generators.timeBasedEpochGenerator();

    /** A call's payloads pass through memory here and in the database several times over. */
    private static final long CALL_BYTES_MAX = 64L * 1024 * 1024;

    private final EventTypes types;
    private final ObjectWriter writer;
    private final int payloadBytesMax;

    PrepareEvent(EventTypes types, ObjectWriter writer, int payloadBytesMax) {
        this.types = types;
        this.writer = writer;
        this.payloadBytesMax = payloadBytesMax;
    }

    /** @param objectMapper null for one that finds the Jackson modules on the class path and writes dates as ISO 8601 */
    static PrepareEvent of(EventTypes types, @Nullable ObjectMapper objectMapper, int payloadBytesMax) {
        ObjectMapper mapper = objectMapper != null
                ? objectMapper
                : JsonMapper.builder()
                        .findAndAddModules()
                        .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                        .build();
        return new PrepareEvent(types, mapper.writer(), payloadBytesMax);
    }

    /** @throws IllegalArgumentException if it is not usable as a limit */
    static int payloadBytesMax(int bytes) {
        if (bytes < 1 || bytes > CALL_BYTES_MAX) {
            throw new IllegalArgumentException("payloadBytesMax is " + bytes + ": use 1 to " + CALL_BYTES_MAX);
        }
        return bytes;
    }

    /** All events of one call. */
    List<PreparedEvent> all(List<NewEvent> events) {
        List<PreparedEvent> prepared = new ArrayList<>(events.size());
        long bytes = 0;
        for (NewEvent event : events) {
            PreparedEvent row = prepare(event);
            bytes += row.payload().length;
            if (bytes > CALL_BYTES_MAX) {
                throw new EventRejectedException("the payloads of one call have over " + CALL_BYTES_MAX
                        + " bytes: publish in several calls of the same transaction");
            }
            prepared.add(row);
        }
        return prepared;
    }

    private PreparedEvent prepare(NewEvent event) {
        EventRules.allHeaders(event);
        if (event.content() instanceof NewEvent.Content.Raw raw) {
            return row(event, raw.type(), raw.contentType(), raw.payload());
        }
        Object payload = ((NewEvent.Content.Typed) event.content()).payload();
        String type = types.typeOf(payload.getClass());
        return row(event, type, JSON, json(type, payload));
    }

    private PreparedEvent row(NewEvent event, String type, String contentType, byte[] payload) {
        if (payload.length > payloadBytesMax) {
            throw new EventRejectedException("payload of " + type + " for " + event.aggregateType() + "/"
                    + event.aggregateId() + " has " + payload.length + " bytes, the limit is " + payloadBytesMax
                    + ": store the large part elsewhere and publish a reference to it, or raise payloadBytesMax"
                    + " together with Kafka's message.max.bytes");
        }
        return new PreparedEvent(event, IDS.generate(), type, contentType, payload, json(event.headers()));
    }

    /** As JSON; the same way that payloads are. */
    byte[] json(String type, Object payload) {
        try {
            return writer.writeValueAsBytes(payload);
        } catch (JsonProcessingException e) {
            throw new EventRejectedException(
                    "payload of " + type + " cannot be written as JSON: make "
                            + payload.getClass().getName() + " serialisable by Jackson (" + e.getOriginalMessage()
                            + ")",
                    e);
        }
    }

    private static @Nullable String json(Map<String, String> headers) {
        if (headers.isEmpty()) {
            return null;
        }
        StringWriter json = new StringWriter();
        try (JsonGenerator generator = HEADERS_FACTORY.createGenerator(json)) {
            generator.writeStartObject();
            for (Map.Entry<String, String> header : headers.entrySet()) {
                generator.writeStringField(header.getKey(), header.getValue());
            }
            generator.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return json.toString();
    }
}

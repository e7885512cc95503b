package dev.tributary.outbox.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.InvalidNullException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.outbox.schema.Upcasters.Part;
import dev.tributary.outbox.schema.Upcasters.Step;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads payloads: upcasts them, and makes objects of JSON. Fields that a class does not have are ignored (unless the
 * mapper says otherwise); fields that it cannot be without are required. A record cannot be without its primitive
 * components, nor, where {@code @NullMarked} applies, without any that is neither {@code @Nullable} nor an {@code
 * Optional}. A component with {@code @JsonSetter} goes by that instead. Other classes have what Jackson knows: {@code
 * @JsonProperty(required = true)} on a constructor's parameter.
 *
 * <p>Thread-safe.
 */
public final class PayloadReader {
    private static final String JSON = "application/json";

    private final ObjectMapper mapper;
    private final Upcasters upcasters;
    private final Map<Class<?>, ObjectReader> readers = new ConcurrentHashMap<>();

    /** @param mapper is copied */
    public PayloadReader(ObjectMapper mapper, Upcasters upcasters) {
        this.mapper = mapper.copy().registerModule(new RequiredComponents.Module());
        this.upcasters = upcasters;
    }

    /** With a mapper that knows the modules on the class path and ignores unknown fields. */
    public static PayloadReader of(Upcasters upcasters) {
        return new PayloadReader(
                JsonMapper.builder()
                        .findAndAddModules()
                        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .build(),
                upcasters);
    }

    /** What is done with old types. */
    public Upcasters upcasters() {
        return upcasters;
    }

    /** A payload as it was written. */
    private static final class Raw {
        private final byte[] bytes;
        private final @Nullable String contentType;

        Raw(byte[] bytes, @Nullable String contentType) {
            this.bytes = bytes;
            this.contentType = contentType;
        }
    }

    /**
     * Reads a payload as it was written.
     *
     * @param contentType null for JSON
     * @param as {@code byte[]} for the payload as it is
     * @throws SchemaException if the payload is not what {@code as} can be made of; the message says where
     */
    public <T> T read(String type, @Nullable String contentType, byte[] payload, Class<T> as) {
        return as == byte[].class ? as.cast(payload) : parse(type, contentType, payload, as);
    }

    /**
     * The events that a stored one is today: itself if its type is current; none or several if it is split.
     *
     * @param contentType null for JSON
     * @throws SchemaException if an upcaster fails, or the payload is not what it reads
     */
    public List<UpcastEvent> upcast(String type, @Nullable String contentType, byte[] payload) {
        Raw raw = new Raw(payload, contentType);
        List<UpcastEvent> current = new ArrayList<>(1);
        advance(new UpcastEvent(this, type, type, "", raw), raw, current);
        return current;
    }

    private void advance(UpcastEvent event, Object payload, List<UpcastEvent> current) {
        Step step = upcasters.step(event.type());
        if (step == null) {
            current.add(event);
            return;
        }
        List<Part> parts = take(step, event, payload);
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (!step.to().contains(part.type())) {
                throw new SchemaException("the split of " + event.named() + " made a " + part.type()
                        + ", but was declared to make " + step.to());
            }
            // Parts may share one tree, and a further step may change it
            Object own = step.split() && part.payload() instanceof ObjectNode tree ? tree.deepCopy() : part.payload();
            advance(event.become(part.type(), step.split() ? "#" + (i + 1) : "", own), own, current);
        }
    }

    private List<Part> take(Step step, UpcastEvent event, Object payload) {
        Object input = step.input() == null ? payload : make(event.named(), payload, step.input());
        List<Part> parts;
        try {
            parts = step.change().apply(input);
        } catch (RuntimeException e) {
            throw new SchemaException("the upcaster from " + event.named() + " to " + step.to() + " failed: " + e, e);
        }
        if (parts == null || parts.stream().anyMatch(part -> part.payload() == null)) {
            throw new SchemaException("the upcaster from " + event.named() + " to " + step.to() + " returned null");
        }
        return parts;
    }

    /** Makes a class of whatever a payload is on its way: bytes, a tree, an object that an upcaster made. */
    <T> T make(String named, Object payload, Class<T> as) {
        if (payload instanceof Raw raw) {
            return read(named, raw.contentType, raw.bytes, as);
        }
        if (as != Object.class && as.isInstance(payload)) {
            return as.cast(payload);
        }
        try {
            if (as == byte[].class) {
                return as.cast(mapper.writeValueAsBytes(payload));
            }
            JsonNode tree = payload instanceof JsonNode node ? node : mapper.valueToTree(payload);
            return present(named, reader(as).readValue(tree));
        } catch (IOException | IllegalArgumentException e) {
            throw unreadable(named, e);
        }
    }

    private <T> T parse(String named, @Nullable String contentType, byte[] payload, Class<T> as) {
        if (contentType != null && !isJson(contentType)) {
            throw new SchemaException(
                    named + ": payload is " + contentType + ", not JSON: register byte[].class to read it as it is");
        }
        try {
            return present(named, reader(as).readValue(payload));
        } catch (IOException e) {
            throw unreadable(named, e);
        }
    }

    private ObjectReader reader(Class<?> type) {
        return readers.computeIfAbsent(type, mapper::readerFor);
    }

    private static <T> T present(String named, @Nullable T payload) {
        if (payload == null) {
            throw new SchemaException(named + ": payload is JSON null");
        }
        return payload;
    }

    /** Whether payloads of this media type are JSON. */
    public static boolean isJson(String contentType) {
        if (contentType.equals(JSON)) {
            return true;
        }
        String mediaType = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        return mediaType.endsWith("/json") || mediaType.endsWith("+json");
    }

    private static SchemaException unreadable(String named, Exception e) {
        String what = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        String path = e instanceof JsonMappingException mapping ? path(mapping.getPath()) : "";
        if (path.isEmpty()) {
            return new SchemaException(named + ": " + what, e);
        }
        if (e instanceof InvalidNullException) {
            return new SchemaException(named + ": " + path + " is null", e);
        }
        if (what != null && what.startsWith("Missing required creator property")) {
            return new SchemaException(named + ": " + path + " is missing", e);
        }
        return new SchemaException(named + ": " + path + ": " + what, e);
    }

    private static String path(List<JsonMappingException.Reference> references) {
        StringBuilder path = new StringBuilder();
        for (JsonMappingException.Reference reference : references) {
            if (reference.getFieldName() == null) {
                path.append('[').append(reference.getIndex()).append(']');
            } else {
                path.append(path.isEmpty() ? "" : ".").append(reference.getFieldName());
            }
        }
        return path.toString();
    }
}

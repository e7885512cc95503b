package dev.tributary.outbox;

import dev.tributary.outbox.wire.WireHeaders;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an event must be like to fit everywhere it goes: PostgreSQL text, a Kafka topic's name, and, together with the
 * default payload limit, Kafka's default of 1 MiB for a record: payload, headers, 2 bytes for each of 22,000 headers with
 * the shortest names, aggregate id and type wherever the wire repeats them and the fixed headers are at most 1,036,000
 * bytes. The SQL function {@code tributary.publish} has the same rules.
 */
final class EventRules {
    static final int PAYLOAD_BYTES_MAX_DEFAULT = 900 * 1024;
    static final int HEADER_BYTES_MAX = 64 * 1024;
    static final int AGGREGATE_ID_BYTES_MAX = 1024;
    static final int TYPE_LENGTH_MAX = 255;
    static final int CONTENT_TYPE_LENGTH_MAX = 255;

    private static final Pattern AGGREGATE_TYPE = Pattern.compile("[A-Za-z0-9._-]{1,100}");
    private static final Pattern EVENT_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/-]*");
    private static final Pattern EVENT_TYPE = Pattern.compile(EVENT_NAME.pattern() + "\\.v[1-9][0-9]{0,8}");
    private static final Pattern CONTENT_TYPE = Pattern.compile("[!-~&&[^/;,]]+/[!-~&&[^/;,]]+(;[ -~]+)?");
    private static final Pattern TRACE_PARENT =
            Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
    private static final Pattern TRACE_STATE = Pattern.compile("[ -~]*[!-~][ -~]*");
    private static final Pattern RESERVED_HEADER = Pattern.compile(
            "(" + WireHeaders.CLOUD_EVENTS_PREFIX + "|kafka_).*|" + WireHeaders.CONTENT_TYPE + "|"
                    + WireHeaders.TRACE_PARENT + "|" + WireHeaders.TRACE_STATE,
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private EventRules() {}

    static String aggregateType(@Nullable String type) {
        if (type == null || !AGGREGATE_TYPE.matcher(type).matches()) {
            throw new EventRejectedException("aggregate type " + quoted(type)
                    + " is not usable: it becomes part of a topic name, use 1 to 100 of A-Z a-z 0-9 . _ -");
        }
        return type;
    }

    static String aggregateId(@Nullable String id) {
        String given = text("aggregate id", id, "pass the id of the aggregate that the event belongs to");
        int bytes = utf8Bytes(given);
        if (bytes > AGGREGATE_ID_BYTES_MAX) {
            throw new EventRejectedException("aggregate id has " + bytes + " bytes, the limit is "
                    + AGGREGATE_ID_BYTES_MAX + ": use a shorter id, such as the aggregate's primary key");
        }
        return given;
    }

    static String eventName(@Nullable String name) {
        if (name == null || !EVENT_NAME.matcher(name).matches()) {
            throw new EventRejectedException("event name " + quoted(name)
                    + " is not usable: use A-Z a-z 0-9 . _ : / - and start with a letter or digit, as in order.placed");
        }
        return name;
    }

    static String eventType(@Nullable String type) {
        if (type == null
                || type.length() > TYPE_LENGTH_MAX
                || !EVENT_TYPE.matcher(type).matches()) {
            throw new EventRejectedException("event type " + quoted(type)
                    + " is not usable: use <name>.v<version> of at most " + TYPE_LENGTH_MAX
                    + " characters, such as order.placed.v1; the name is of A-Z a-z 0-9 . _ : / -");
        }
        return type;
    }

    static String contentType(@Nullable String contentType) {
        if (contentType == null
                || contentType.length() > CONTENT_TYPE_LENGTH_MAX
                || !CONTENT_TYPE.matcher(contentType).matches()) {
            throw new EventRejectedException("content type " + quoted(contentType)
                    + " is not usable: use a media type of at most " + CONTENT_TYPE_LENGTH_MAX
                    + " characters, such as application/json");
        }
        return contentType;
    }

    static String headerName(@Nullable String name) {
        String given = text("header name", name, "name every header");
        if (RESERVED_HEADER.matcher(given).matches()) {
            throw new EventRejectedException("header name " + quoted(given)
                    + " is reserved: choose another, or use correlationId, causationId, traceParent, traceState");
        }
        return given;
    }

    static String headerValue(String name, @Nullable String value) {
        if (value == null) {
            throw new EventRejectedException("header " + quoted(name) + " is null: give it a value or leave it out");
        }
        return storable("header " + quoted(name), value);
    }

    static String correlation(String what, @Nullable String value) {
        return text(what, value, "give it a value or leave it out");
    }

    static String traceParent(@Nullable String traceParent) {
        if (traceParent == null || !TRACE_PARENT.matcher(traceParent).matches()) {
            throw new EventRejectedException("traceparent " + quoted(traceParent)
                    + " is not in the form of W3C trace context: pass it as your tracer gives it,"
                    + " 00-<32 hex>-<16 hex>-<2 hex> in lower case, or leave it out");
        }
        return traceParent;
    }

    static String traceState(@Nullable String traceState) {
        if (traceState == null || !TRACE_STATE.matcher(traceState).matches()) {
            throw new EventRejectedException("tracestate " + quoted(traceState)
                    + " is blank or not printable ASCII: pass it as your tracer gives it, or leave it out");
        }
        return traceState;
    }

    /** What can only be judged once all headers are there. */
    static void allHeaders(NewEvent event) {
        Map<String, String> headers = event.headers();
        if (headers.containsKey(WireHeaders.TRACE_STATE) && !headers.containsKey(WireHeaders.TRACE_PARENT)) {
            throw new EventRejectedException(
                    event + " has a tracestate, which has no meaning without traceparent: set both or neither");
        }
        int bytes = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            bytes = Math.addExact(bytes, utf8Bytes(header.getKey()) + utf8Bytes(header.getValue()));
        }
        if (bytes > HEADER_BYTES_MAX) {
            throw new EventRejectedException("headers of " + event + " have " + bytes + " bytes, the limit is "
                    + HEADER_BYTES_MAX + ": move large values to the payload");
        }
    }

    private static String text(String what, @Nullable String value, String remedy) {
        if (value == null || value.isBlank()) {
            throw new EventRejectedException(what + " is null or blank: " + remedy);
        }
        return storable(what, value);
    }

    /** PostgreSQL's text has no U+0000, and half a surrogate pair has no UTF-8. */
    private static String storable(String what, String value) {
        if (value.indexOf('\0') >= 0) {
            throw new EventRejectedException(
                    what + " contains the character U+0000, which PostgreSQL cannot store: remove it");
        }
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value));
        } catch (CharacterCodingException e) {
            throw new EventRejectedException(
                    what + " contains half of a surrogate pair, which has no UTF-8: was a text cut in the middle?", e);
        }
        return value;
    }

    private static int utf8Bytes(String value) {
        return value.getBytes(StandardCharsets.UTF_8).length;
    }

    private static String quoted(@Nullable String value) {
        return value == null ? "null" : "'" + value + "'";
    }
}

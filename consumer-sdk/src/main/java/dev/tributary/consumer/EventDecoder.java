package dev.tributary.consumer;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** Reads CloudEvents in Kafka's binary content mode. Never fails: what it cannot read it says so of. Thread-safe. */
final class EventDecoder {
    /** Together they fit an index entry of the database. */
    private static final int SOURCE_CHARS_MAX = 256;

    private static final int AGGREGATE_TYPE_CHARS_MAX = 256;
    private static final int AGGREGATE_ID_BYTES_MAX = 1024;
    private static final int UTF_8_BYTES_PER_CHAR_MAX = 3;
    private static final byte[] NO_PAYLOAD = {};

    Incoming decode(ConsumerRecord<byte[], byte[]> record) {
        try {
            return new Incoming.Decoded(record, event(record, headers(record)));
        } catch (Malformed e) {
            return new Incoming.Undecodable(record, e.reason);
        }
    }

    private static Event<byte[]> event(ConsumerRecord<byte[], byte[]> record, Map<String, String> headers)
            throws Malformed {
        String version = headers.remove(WireHeaders.SPEC_VERSION);
        if (version == null) {
            throw new Malformed("no CloudEvents headers");
        }
        if (!version.equals(WireHeaders.SPEC_VERSION_1_0)) {
            throw new Malformed("CloudEvents version '" + version + "'");
        }
        String id = required(headers, WireHeaders.ID);
        String source = sourceName(required(headers, WireHeaders.SOURCE));
        String type = required(headers, WireHeaders.TYPE);
        Position position = position(headers.remove(WireHeaders.POSITION));
        Long sequence = sequence(headers.remove(WireHeaders.SEQUENCE), position);
        Instant time = time(headers.remove(WireHeaders.TIME), record.timestamp());
        String partitionKey = headers.remove(WireHeaders.PARTITION_KEY);
        String subject = headers.remove(WireHeaders.SUBJECT);
        if (subject == null) {
            subject = "/" + (partitionKey != null ? partitionKey : key(record, id));
        }
        int slash = subject.indexOf('/');
        String aggregateType = limited("aggregate type", subject.substring(0, Math.max(0, slash)));
        String aggregateId = subject.substring(slash + 1);
        if (aggregateId.length() > AGGREGATE_ID_BYTES_MAX / UTF_8_BYTES_PER_CHAR_MAX
                && aggregateId.getBytes(StandardCharsets.UTF_8).length > AGGREGATE_ID_BYTES_MAX) {
            throw new Malformed("aggregate id of more than " + AGGREGATE_ID_BYTES_MAX + " bytes");
        }
        byte[] payload = record.value() == null ? NO_PAYLOAD : record.value();
        return new Event<>(
                id,
                source,
                type,
                type,
                aggregateType,
                aggregateId,
                sequence,
                position,
                time,
                Collections.unmodifiableMap(headers),
                payload,
                record.topic(),
                record.partition(),
                record.offset());
    }

    private static Map<String, String> headers(ConsumerRecord<byte[], byte[]> record) throws Malformed {
        Map<String, String> headers = new LinkedHashMap<>();
        for (Header header : record.headers()) {
            byte[] value = header.value();
            if (value != null) {
                boolean ours = header.key().startsWith(WireHeaders.CLOUD_EVENTS_PREFIX);
                headers.put(header.key(), ours ? strictText(header.key(), value) : text(value));
            }
        }
        return headers;
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static String strictText(String name, byte[] utf8) throws Malformed {
        String text = text(utf8);
        // PostgreSQL's text takes no NUL; the slow, strict decoder is only asked when the quick one has replaced
        // something
        if (text.indexOf('\0') >= 0 || (text.indexOf('\uFFFD') >= 0 && !isUtf8(utf8))) {
            throw new Malformed(name + " is not UTF-8 text");
        }
        return text;
    }

    static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static String required(Map<String, String> headers, String name) throws Malformed {
        String value = headers.remove(name);
        if (value == null || value.isEmpty()) {
            throw new Malformed("no " + name);
        }
        return value;
    }

    private static String sourceName(String source) throws Malformed {
        if (source.length() > SOURCE_CHARS_MAX) {
            throw new Malformed(WireHeaders.SOURCE + " of more than " + SOURCE_CHARS_MAX + " characters");
        }
        return source.length() > 1 && source.charAt(0) == '/' ? source.substring(1) : source;
    }

    private static String limited(String what, String value) throws Malformed {
        if (value.length() > AGGREGATE_TYPE_CHARS_MAX) {
            throw new Malformed(what + " of more than " + AGGREGATE_TYPE_CHARS_MAX + " characters");
        }
        return value;
    }

    private static @Nullable Position position(@Nullable String text) throws Malformed {
        try {
            return text == null ? null : Position.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Malformed(WireHeaders.POSITION + ": " + e.getMessage());
        }
    }

    /** Foreign producers may have sequences of other kinds; ours, who give positions, may not. */
    private static @Nullable Long sequence(@Nullable String text, @Nullable Position position) throws Malformed {
        try {
            return text == null ? null : Long.valueOf(text);
        } catch (NumberFormatException e) {
            if (position == null) {
                return null;
            }
            throw new Malformed(WireHeaders.SEQUENCE + " is not a number: '" + text + "'");
        }
    }

    private static Instant time(@Nullable String text, long recordTimestamp) throws Malformed {
        try {
            return text == null
                    ? Instant.ofEpochMilli(recordTimestamp)
                    : OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeParseException e) {
            throw new Malformed(WireHeaders.TIME + " is not RFC 3339: '" + text + "'");
        }
    }

    /** A foreign record without a key is an aggregate of its own. */
    private static String key(ConsumerRecord<byte[], byte[]> record, String id) throws Malformed {
        return record.key() == null ? id : strictText("the key", record.key());
    }

    /** Carries a sentence within this class, so it needs no stack. */
    private static final class Malformed extends Exception {
        private final String reason;

        Malformed(String reason) {
            super(reason, null, false, false);
            this.reason = reason;
        }
    }
}

package dev.tributary.consumer;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.WireHeaders;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
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

    private final Recent sources = new Recent(EventDecoder::sourceName);
    private final Recent types = new Recent(type -> type);
    private final Recent aggregateTypes = new Recent(EventDecoder::aggregateType);
    private volatile Map<String, String> recentHeaders = Map.of();

    Incoming decode(ConsumerRecord<byte[], byte[]> record) {
        return decode(record, event -> null);
    }

    /** @param payloads what to read ahead of an event's payload; null for nothing */
    Incoming decode(ConsumerRecord<byte[], byte[]> record, Function<Event<byte[]>, @Nullable Object> payloads) {
        try {
            Event<byte[]> event = event(record);
            return new Incoming.Decoded(record, event, payloads.apply(event));
        } catch (Malformed e) {
            return new Incoming.Undecodable(record, e.reason);
        }
    }

    private Event<byte[]> event(ConsumerRecord<byte[], byte[]> record) throws Malformed {
        Attributes given = new Attributes();
        for (Header header : record.headers()) {
            if (header.value() != null) {
                given.take(header.key(), header.value());
            }
        }
        if (given.version == null) {
            throw new Malformed("no CloudEvents headers");
        }
        if (!given.version.equals(WireHeaders.SPEC_VERSION_1_0)) {
            throw new Malformed("CloudEvents version '" + given.version + "'");
        }
        String id = required(WireHeaders.ID, given.id);
        String source = sources.of(required(WireHeaders.SOURCE, given.source));
        String type = types.of(required(WireHeaders.TYPE, given.type));
        Position position = position(given.position);
        Long sequence = sequence(given.sequence, position);
        Instant time = time(given.time, record.timestamp());
        String subject = given.subject;
        if (subject == null) {
            subject = "/" + (given.partitionKey != null ? given.partitionKey : key(record, id));
        }
        int slash = subject.indexOf('/');
        return new Event<>(
                id,
                source,
                type,
                type,
                aggregateTypes.of(subject.substring(0, Math.max(0, slash))),
                aggregateId(subject.substring(slash + 1)),
                sequence,
                position,
                time,
                headers(given),
                record.value() == null ? NO_PAYLOAD : record.value(),
                record.topic(),
                record.partition(),
                record.offset());
    }

    /** A record's headers: CloudEvents' attributes, and the others. The last of a name counts. */
    private static final class Attributes {
        private @Nullable String version;
        private @Nullable String id;
        private @Nullable String source;
        private @Nullable String type;
        private @Nullable String position;
        private @Nullable String sequence;
        private @Nullable String time;
        private @Nullable String partitionKey;
        private @Nullable String subject;
        private final Map<String, String> others = new LinkedHashMap<>(2);

        void take(String name, byte[] value) throws Malformed {
            if (!name.startsWith(WireHeaders.CLOUD_EVENTS_PREFIX)) {
                others.put(name, text(value));
                return;
            }
            String text = strictText(name, value);
            switch (name) {
                case WireHeaders.SPEC_VERSION -> version = text;
                case WireHeaders.ID -> id = text;
                case WireHeaders.SOURCE -> source = text;
                case WireHeaders.TYPE -> type = text;
                case WireHeaders.POSITION -> position = text;
                case WireHeaders.SEQUENCE -> sequence = text;
                case WireHeaders.TIME -> time = text;
                case WireHeaders.PARTITION_KEY -> partitionKey = text;
                case WireHeaders.SUBJECT -> subject = text;
                default -> others.put(name, text);
            }
        }
    }

    /** Most events have but a content type, and all the same. */
    private Map<String, String> headers(Attributes given) {
        Map<String, String> recent = recentHeaders;
        if (!given.others.equals(recent)) {
            recent = Collections.unmodifiableMap(given.others);
            recentHeaders = recent;
        }
        return recent;
    }

    /**
     * What was made of the record before, which is mostly the same again: so that not every event keeps texts of its own
     * of its source and types. Thread-safe, at the price of forgetting.
     */
    private static final class Recent {
        private final Reading reading;
        private volatile @Nullable Known known;

        private record Known(String text, String read) {}

        interface Reading {
            String read(String text) throws Malformed;
        }

        Recent(Reading reading) {
            this.reading = reading;
        }

        String of(String text) throws Malformed {
            Known last = known;
            if (last == null || !last.text.equals(text)) {
                last = new Known(text, reading.read(text));
                known = last;
            }
            return last.read;
        }
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static String strictText(String name, byte[] utf8) throws Malformed {
        String text = text(utf8);
        // PostgreSQL's text takes no NUL; the slow, strict decoder is only asked when the quick one has replaced some
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

    private static String required(String name, @Nullable String value) throws Malformed {
        if (value == null || value.isEmpty()) {
            throw new Malformed("no " + name);
        }
        return value;
    }

    private static String aggregateId(String id) throws Malformed {
        if (id.length() > AGGREGATE_ID_BYTES_MAX / UTF_8_BYTES_PER_CHAR_MAX
                && id.getBytes(StandardCharsets.UTF_8).length > AGGREGATE_ID_BYTES_MAX) {
            throw new Malformed("aggregate id of more than " + AGGREGATE_ID_BYTES_MAX + " bytes");
        }
        return id;
    }

    private static String sourceName(String source) throws Malformed {
        if (source.length() > SOURCE_CHARS_MAX) {
            throw new Malformed(WireHeaders.SOURCE + " of more than " + SOURCE_CHARS_MAX + " characters");
        }
        return source.length() > 1 && source.charAt(0) == '/' ? source.substring(1) : source;
    }

    private static String aggregateType(String type) throws Malformed {
        if (type.length() > AGGREGATE_TYPE_CHARS_MAX) {
            throw new Malformed("aggregate type of more than " + AGGREGATE_TYPE_CHARS_MAX + " characters");
        }
        return type;
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
            return text == null ? Instant.ofEpochMilli(recordTimestamp) : Rfc3339.parse(text);
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

package dev.tributary.relay.routing;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.outbox.wire.WireHeaders;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.config.TopicTemplate;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * Puts an event on the wire: CloudEvents 1.0 in Kafka's binary content mode, key = aggregate id, timestamp = commit
 * time, payload untouched. Not thread-safe.
 */
public final class EventRouter {
    private static final Header SPEC_VERSION =
            new WireHeader(WireHeaders.SPEC_VERSION, WireHeaders.SPEC_VERSION_1_0.getBytes(US_ASCII));

    /** Readers, and the relay itself, would go by a second one of these. */
    private static final Set<String> RELAYS_OWN = Set.of(
            WireHeaders.SPEC_VERSION,
            WireHeaders.ID,
            WireHeaders.SOURCE,
            WireHeaders.TYPE,
            WireHeaders.SUBJECT,
            WireHeaders.TIME,
            WireHeaders.PARTITION_KEY,
            WireHeaders.SEQUENCE,
            WireHeaders.POSITION,
            WireHeaders.CONTENT_TYPE,
            WireHeaders.REPLAY_OF,
            WireHeaders.CE_TRACE_PARENT);

    private final TopicTemplate topics;
    private final Header source;
    private final WireText text = new WireText();
    private final Map<String, String> topicByAggregateType = new HashMap<>();
    private final Map<String, Header> origins = new HashMap<>();
    private final JsonMapper json = new JsonMapper();

    /** Routes {@code source}'s events to its topics. */
    public EventRouter(SourceConfig source) {
        this.topics = source.topics();
        this.source = new WireHeader(WireHeaders.SOURCE, ("/" + source.name()).getBytes(UTF_8));
    }

    /**
     * The record that {@code event} is on the wire. The partition is left to the producer's default partitioner.
     *
     * @throws RelayException.Refused if the event cannot be put on the wire as it is
     */
    public ProducerRecord<byte[], byte[]> route(OutboxEvent event) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                topicOf(event), null, event.committedAt().toEpochMilli(), event.aggregateId(), event.payload());
        Headers headers = record.headers()
                .add(SPEC_VERSION)
                .add(new WireHeader(WireHeaders.ID, WireText.uuid(event.id())))
                .add(source)
                .add(new WireHeader(WireHeaders.TYPE, event.type()))
                .add(new WireHeader(WireHeaders.SUBJECT, subject(event)))
                .add(new WireHeader(WireHeaders.TIME, text.time(event.occurredAt())))
                .add(new WireHeader(WireHeaders.PARTITION_KEY, event.aggregateId()))
                .add(new WireHeader(WireHeaders.POSITION, WireText.position(event.position())))
                .add(new WireHeader(WireHeaders.CONTENT_TYPE, event.contentType()));
        if (event.sequence() > 0) {
            headers.add(new WireHeader(
                    WireHeaders.SEQUENCE, Long.toString(event.sequence()).getBytes(US_ASCII)));
        }
        if (event.headers() != null) {
            addWritersHeaders(event, event.headers(), headers);
        }
        return record;
    }

    /**
     * The record for {@code topic} that repeats {@code event}, and says so.
     *
     * @throws RelayException.Refused if the event cannot be put on the wire as it is
     */
    public ProducerRecord<byte[], byte[]> repeat(OutboxEvent event, String topic) {
        ProducerRecord<byte[], byte[]> first = route(event);
        Header origin = origins.computeIfAbsent(
                first.topic(), name -> new WireHeader(WireHeaders.REPLAY_OF, name.getBytes(UTF_8)));
        first.headers().add(origin);
        return new ProducerRecord<>(topic, null, first.timestamp(), first.key(), first.value(), first.headers());
    }

    private String topicOf(OutboxEvent event) {
        String topic = topicByAggregateType.get(event.aggregateType());
        if (topic == null) {
            topic = topics.topicFor(event.aggregateType());
            if (!TopicTemplate.isLegal(topic)) {
                throw new RelayException.Refused(
                        event.id(),
                        null,
                        event + " has aggregate type '" + event.aggregateType()
                                + "', which gives the illegal topic name '" + topic + "'",
                        "it was written past the library's checks; have it published anew, and name its id under `skip`",
                        null);
            }
            topicByAggregateType.put(event.aggregateType(), topic);
        }
        return topic;
    }

    private static byte[] subject(OutboxEvent event) {
        byte[] type = event.aggregateType().getBytes(UTF_8);
        byte[] id = event.aggregateId();
        byte[] subject = new byte[type.length + 1 + id.length];
        System.arraycopy(type, 0, subject, 0, type.length);
        subject[type.length] = '/';
        System.arraycopy(id, 0, subject, type.length + 1, id.length);
        return subject;
    }

    private void addWritersHeaders(OutboxEvent event, byte[] writersHeaders, Headers headers) {
        JsonNode object = parse(event, writersHeaders);
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (RELAYS_OWN.contains(field.getKey())) {
                throw unusable(event, "header '" + field.getKey() + "', which is the relay's to set");
            }
            byte[] value = utf8(field.getValue());
            headers.add(new WireHeader(field.getKey(), value));
            if (field.getKey().equals(WireHeaders.TRACE_PARENT)) {
                headers.add(new WireHeader(WireHeaders.CE_TRACE_PARENT, value));
            }
        }
    }

    private JsonNode parse(OutboxEvent event, byte[] writersHeaders) {
        try {
            JsonNode object = json.readTree(writersHeaders);
            if (object.isObject()) {
                return object;
            }
        } catch (IOException e) {
            throw unusable(event, "headers that cannot be read (" + e.getMessage() + ")");
        }
        throw unusable(event, "headers that are no JSON object");
    }

    private static RelayException.Refused unusable(OutboxEvent event, String what) {
        return new RelayException.Refused(
                event.id(),
                null,
                event + " has " + what,
                "it was written past the library's checks; have it published anew, and name its id under `skip`",
                null);
    }

    private byte[] utf8(JsonNode value) {
        try {
            return value.isTextual() ? value.textValue().getBytes(UTF_8) : json.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a parsed tree cannot be written", e);
        }
    }
}

package dev.tributary.outbox;

import dev.tributary.outbox.wire.WireHeaders;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An event to be published. Immutable: each method returns a changed copy. Every method throws {@link
 * EventRejectedException} for what could not be stored or sent.
 *
 * <p>Unless said otherwise it gets its aggregate's next sequence number.
 */
public final class NewEvent {
    private static final long NEXT = 0;
    private static final long NONE = -1;

    private final String aggregateType;
    private final String aggregateId;
    private final Content content;
    private final long numbering;
    private final Map<String, String> headers;

    /** What the event says: an object still to be serialised, or bytes. */
    sealed interface Content {
        record Typed(Object payload) implements Content {}

        @SuppressWarnings("ArrayRecordComponent") // never compared
        record Raw(String type, String contentType, byte[] payload) implements Content {}
    }

    private NewEvent(
            String aggregateType, String aggregateId, Content content, long numbering, Map<String, String> headers) {
        this.aggregateType = aggregateType;
        this.aggregateId = aggregateId;
        this.content = content;
        this.numbering = numbering;
        this.headers = headers;
    }

    /**
     * An event whose payload becomes JSON.
     *
     * @param aggregateType becomes part of the topic's name: 1 to 100 of {@code A-Z a-z 0-9 . _ -}
     * @param aggregateId becomes the Kafka key, so that the aggregate's events stay in order; at most 1 KiB
     * @param payload of a class that is registered in the outbox's {@link EventTypes}; not to be changed until published
     */
    public static NewEvent of(String aggregateType, String aggregateId, Object payload) {
        if (Objects.isNull(payload)) {
            throw new EventRejectedException("payload is null: pass an object of a registered class");
        }
        return first(aggregateType, aggregateId, new Content.Typed(payload));
    }

    /**
     * An event whose payload is published byte for byte.
     *
     * @param type {@code name.vN}, such as {@code order.placed.v1}; needs no registration
     * @param contentType the payload's media type
     * @param payload is copied; may be empty
     */
    public static NewEvent raw(
            String aggregateType, String aggregateId, String type, String contentType, byte[] payload) {
        if (Objects.isNull(payload)) {
            throw new EventRejectedException("payload is null: pass an empty array for an event without content");
        }
        return first(
                aggregateType,
                aggregateId,
                new Content.Raw(EventRules.eventType(type), EventRules.contentType(contentType), payload.clone()));
    }

    private static NewEvent first(String aggregateType, String aggregateId, Content content) {
        return new NewEvent(
                EventRules.aggregateType(aggregateType),
                EventRules.aggregateId(aggregateId),
                content,
                NEXT,
                Collections.emptyMap());
    }

    /**
     * Lets the event be published only as number {@code sequence} of its aggregate, from 1; otherwise the whole call
     * fails with {@link SequenceConflictException}.
     */
    public NewEvent expectingSequence(long sequence) {
        if (sequence < 1) {
            throw new EventRejectedException(
                    "expected sequence " + sequence + " is impossible: an aggregate's first event is number 1");
        }
        return new NewEvent(aggregateType, aggregateId, content, sequence, headers);
    }

    /**
     * Publishes the event without a number and without locking its aggregate. Events of the aggregate still arrive in
     * commit order, but nobody can tell whether one is missing.
     */
    public NewEvent unsequenced() {
        return new NewEvent(aggregateType, aggregateId, content, NONE, headers);
    }

    /** Adds a header of the writer's own, or replaces it. */
    public NewEvent header(String name, String value) {
        return withHeader(EventRules.headerName(name), EventRules.headerValue(name, value));
    }

    /** Names the conversation that the event belongs to, across services. */
    public NewEvent correlationId(String correlationId) {
        return withHeader(WireHeaders.CORRELATION_ID, EventRules.correlation("correlation id", correlationId));
    }

    /** Names the event or command that caused this one. */
    public NewEvent causationId(String causationId) {
        return withHeader(WireHeaders.CAUSATION_ID, EventRules.correlation("causation id", causationId));
    }

    /** Says which span of a distributed trace published the event, in the form of W3C trace context. */
    public NewEvent traceParent(String traceParent) {
        return withHeader(WireHeaders.TRACE_PARENT, EventRules.traceParent(traceParent));
    }

    /** The vendor part of W3C trace context, which goes with {@link #traceParent}. */
    public NewEvent traceState(String traceState) {
        return withHeader(WireHeaders.TRACE_STATE, EventRules.traceState(traceState));
    }

    private NewEvent withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new NewEvent(aggregateType, aggregateId, content, numbering, Collections.unmodifiableMap(more));
    }

    String aggregateType() {
        return aggregateType;
    }

    String aggregateId() {
        return aggregateId;
    }

    Content content() {
        return content;
    }

    Map<String, String> headers() {
        return headers;
    }

    boolean sequenced() {
        return numbering != NONE;
    }

    @Nullable
    Long expectedSequence() {
        return numbering > 0 ? Long.valueOf(numbering) : null;
    }

    /** Aggregate and kind of payload, without the payload itself. */
    @Override
    public String toString() {
        String what = content instanceof Content.Raw raw
                ? raw.type()
                : ((Content.Typed) content).payload().getClass().getSimpleName();
        return what + " of " + aggregateType + "/" + aggregateId;
    }
}

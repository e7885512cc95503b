package dev.tributary.outbox.wire;

/**
 * Kafka header names of an event: CloudEvents 1.0 in Kafka's binary content mode. Values are UTF-8.
 *
 * @see <a href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md">
 *     CloudEvents Kafka protocol binding</a>
 */
public final class WireHeaders {
    /** What every CloudEvents attribute's header starts with; writers may not use it for headers of their own. */
    public static final String CLOUD_EVENTS_PREFIX = "ce_";

    public static final String SPEC_VERSION = "ce_specversion";
    /** The only value of {@link #SPEC_VERSION}. */
    public static final String SPEC_VERSION_1_0 = "1.0";
    /** The event's UUID. */
    public static final String ID = "ce_id";
    /** {@code /<source>}. */
    public static final String SOURCE = "ce_source";
    /** {@code name.vN}. */
    public static final String TYPE = "ce_type";
    /** {@code <aggregate type>/<aggregate id>}. */
    public static final String SUBJECT = "ce_subject";
    /** When the event occurred, RFC 3339. */
    public static final String TIME = "ce_time";
    /** The aggregate id, as in the record's key. */
    public static final String PARTITION_KEY = "ce_partitionkey";
    /** The event's number within its aggregate, decimal; absent for unsequenced events. */
    public static final String SEQUENCE = "ce_sequence";
    /** The event's {@link Position} in its text form. */
    public static final String POSITION = "ce_position";
    /** The payload's media type. */
    public static final String CONTENT_TYPE = "content-type";
    /** W3C trace context as the writer had it, where tracing tools look for it. */
    public static final String TRACE_PARENT = "traceparent";
    /** W3C trace context's vendor part. */
    public static final String TRACE_STATE = "tracestate";
    /** {@link #TRACE_PARENT} once more, as CloudEvents' distributed tracing extension names it. */
    public static final String CE_TRACE_PARENT = "ce_traceparent";
    /** What the writer groups a conversation of events by. */
    public static final String CORRELATION_ID = "ce_correlationid";
    /** The id of the event or command that caused this one. */
    public static final String CAUSATION_ID = "ce_causationid";

    /** Of a replayed event only: the topic that it was first published to. Its position is then that of the replay. */
    public static final String REPLAY_OF = "ce_replayof";

    private WireHeaders() {}
}

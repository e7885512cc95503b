package dev.tributary.outbox.schema;

/** An event as it is read today. Its payload is made into an object when asked for. Immutable as far as that is. */
public final class UpcastEvent {
    private final PayloadReader reader;
    private final String writtenAs;
    private final String type;
    private final String idSuffix;
    private final Object payload;

    UpcastEvent(PayloadReader reader, String writtenAs, String type, String idSuffix, Object payload) {
        this.reader = reader;
        this.writtenAs = writtenAs;
        this.type = type;
        this.idSuffix = idSuffix;
        this.payload = payload;
    }

    /** Its current type. */
    public String type() {
        return type;
    }

    /**
     * What, added to the stored event's id, is this event's: empty unless the stored one was split, {@code #1}, {@code
     * #2}, ... in order if it was, {@code #2#1} for the first of what the second was split into further.
     */
    public String idSuffix() {
        return idSuffix;
    }

    /**
     * Makes an object of its payload.
     *
     * @throws SchemaException if the payload is not what {@code as} can be made of; the message says where
     */
    public <T> T payload(Class<T> as) {
        return reader.make(named(), payload, as);
    }

    String named() {
        return type.equals(writtenAs) ? type : type + " (written as " + writtenAs + ")";
    }

    UpcastEvent become(String nextType, String suffix, Object nextPayload) {
        return new UpcastEvent(reader, writtenAs, nextType, idSuffix + suffix, nextPayload);
    }
}

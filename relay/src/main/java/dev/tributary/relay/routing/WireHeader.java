package dev.tributary.relay.routing;

import org.apache.kafka.common.header.Header;

/** A header to be sent. Kafka's own class has volatile fields, whose fences are a good part of the work on an event. */
@SuppressWarnings("ArrayRecordComponent") // never compared; the array is what Kafka takes
record WireHeader(String key, byte[] value) implements Header {}

package dev.tributary.consumer;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A record from Kafka, decoded as far as it can be without knowing its type. */
sealed interface Incoming {
    ConsumerRecord<byte[], byte[]> record();

    /** An event, its payload still as bytes; empty where the record has none. */
    record Decoded(ConsumerRecord<byte[], byte[]> record, Event<byte[]> event) implements Incoming {}

    /** Not an event. */
    record Undecodable(ConsumerRecord<byte[], byte[]> record, String reason) implements Incoming {}
}

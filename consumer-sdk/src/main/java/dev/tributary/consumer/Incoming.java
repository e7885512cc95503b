package dev.tributary.consumer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** A record from Kafka, decoded as far as it can be without knowing its type. */
sealed interface Incoming {
    ConsumerRecord<byte[], byte[]> record();

    /** An event, its payload still as bytes; empty where the record has none. */
    final class Decoded implements Incoming {
        private final ConsumerRecord<byte[], byte[]> record;
        private final Event<byte[]> event;
        private @Nullable Object payload;

        Decoded(ConsumerRecord<byte[], byte[]> record, Event<byte[]> event, @Nullable Object payload) {
            this.record = record;
            this.event = event;
            this.payload = payload;
        }

        @Override
        public ConsumerRecord<byte[], byte[]> record() {
            return record;
        }

        Event<byte[]> event() {
            return event;
        }

        /** The payload as its handler wants it, if it was read ahead. Only once: whoever gets it may change it. */
        @Nullable
        Object takePayload() {
            Object taken = payload;
            payload = null;
            return taken;
        }
    }

    /** Not an event. */
    record Undecodable(ConsumerRecord<byte[], byte[]> record, String reason) implements Incoming {}
}

package dev.tributary.consumer;

import dev.tributary.consumer.ParkedEvent.Failure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

/** A parked event as tools expect it in a topic: the record as it came, and the headers that Spring's consumers know. */
final class DeadLetter {
    /** As {@link Throwable#toString} writes it: a class, and mostly a message. */
    private static final Pattern THROWABLE = Pattern.compile("([\\w$]+(?:\\.[\\w$]+)+)(?:: (.*))?", Pattern.DOTALL);

    private DeadLetter() {}

    static ProducerRecord<byte[], byte[]> of(ParkedEvent event, String subscription, String topic) {
        ConsumerRecord<byte[], byte[]> came = event.record();
        ProducerRecord<byte[], byte[]> letter =
                new ProducerRecord<>(topic, null, came.key(), came.value(), came.headers());
        addOrigin(letter.headers(), came, subscription);
        addFailure(letter.headers(), event);
        return letter;
    }

    private static void addOrigin(Headers headers, ConsumerRecord<byte[], byte[]> came, String subscription) {
        headers.add("kafka_dlt-original-topic", bytes(came.topic()));
        headers.add(
                "kafka_dlt-original-partition",
                ByteBuffer.allocate(4).putInt(came.partition()).array());
        headers.add(
                "kafka_dlt-original-offset",
                ByteBuffer.allocate(8).putLong(came.offset()).array());
        headers.add(
                "kafka_dlt-original-timestamp",
                ByteBuffer.allocate(8).putLong(came.timestamp()).array());
        headers.add(
                "kafka_dlt-original-timestamp-type", bytes(came.timestampType().toString()));
        headers.add("kafka_dlt-original-consumer-group", bytes(subscription));
    }

    private static void addFailure(Headers headers, ParkedEvent event) {
        Failure failure = event.failure();
        if (failure == null) {
            headers.add("kafka_dlt-exception-message", bytes("waits for earlier events of " + event.aggregate()));
            return;
        }
        Matcher thrown = THROWABLE.matcher(failure.error());
        boolean isThrowable = failure.stack() != null && thrown.matches();
        if (isThrowable) {
            headers.add("kafka_dlt-exception-fqcn", bytes(thrown.group(1)));
        }
        String message = isThrowable ? thrown.group(2) : failure.error();
        headers.add("kafka_dlt-exception-message", bytes(message == null ? "" : message));
        if (failure.stack() != null) {
            headers.add("kafka_dlt-exception-stacktrace", bytes(failure.stack()));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

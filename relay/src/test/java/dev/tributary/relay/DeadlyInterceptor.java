package dev.tributary.relay;

import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** Ends a producer's thread, as a class does that is not there any more after an upgrade. */
public final class DeadlyInterceptor implements ProducerInterceptor<byte[], byte[]> {
    /** The topic whose next acknowledgement does it, once; null for none. */
    static final AtomicReference<@Nullable String> DUE = new AtomicReference<>();

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
        return record;
    }

    @Override
    public void onAcknowledgement(RecordMetadata metadata, Exception exception) {
        String topic = DUE.get();
        if (metadata.topic().equals(topic) && DUE.compareAndSet(topic, null)) {
            throw new NoClassDefFoundError("simulated");
        }
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> settings) {}
}

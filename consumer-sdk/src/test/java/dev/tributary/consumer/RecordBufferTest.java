package dev.tributary.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.Upcasters;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class RecordBufferTest {
    private final RecordBuffer buffer = new RecordBuffer(
            Limits.ofDefaults(),
            new Handlers(
                    "view",
                    Map.of(Added.TYPE, SubscriptionConfig.TypeHandler.plain(Added.class, ViewDatabase::apply)),
                    PayloadReader.of(Upcasters.none()),
                    UnknownType.SKIP),
            () -> {});

    /** The polling thread has gone where the partition was to be read before it had to be found again. */
    @Test
    void takesNothingFromWhereItHadToBeReadBefore() throws InterruptedException {
        buffer.readFrom(7);
        RecordBuffer.Seek before = seek();
        buffer.refuse();
        buffer.readFrom(5);
        buffer.accept(before);
        buffer.offer(List.of(new ConsumerRecord<>("topic", 0, 7, new byte[0], new byte[0])));
        assertThat(buffer.wantsMore()).isFalse();
        assertThat(buffer.take(10, Duration.ZERO)).isEmpty();
        buffer.accept(seek());
        assertThat(buffer.takeSeek()).isNull();
        buffer.offer(List.of(new ConsumerRecord<>("topic", 0, 5, new byte[0], new byte[0])));
        assertThat(buffer.take(10, Duration.ZERO))
                .extracting(incoming -> incoming.record().offset())
                .containsExactly(5L);
    }

    private RecordBuffer.Seek seek() {
        return Objects.requireNonNull(buffer.takeSeek());
    }
}

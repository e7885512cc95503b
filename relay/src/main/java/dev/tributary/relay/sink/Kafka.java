package dev.tributary.relay.sink;

import dev.tributary.relay.flow.RelayException;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/** Opens what the relay uses of Kafka. Opening does not wait for Kafka: whether it answers is seen at the first use. */
public interface Kafka {
    /** Where it is, for people. */
    String address();

    /** The topics of {@code source}. */
    Topics topics(String source);

    /** A consumer in no group, to be closed by the caller. */
    Consumer<byte[], byte[]> consumer(String clientId);

    /** A producer that keeps the order, to be closed by the caller. */
    Producer<byte[], byte[]> producer(String clientId);

    /** How many bytes of one source's events may be on their way to Kafka at a time. */
    long inFlightBytesMax();

    /** By when a producer says of each record whether Kafka has taken it. */
    Duration answerMax();

    /** How many of a partition's last records are looked at in any case, before it is known how far back is far enough. */
    default int tailRecords() {
        return 1_000;
    }

    /** Runs tasks that may block, each on its own. */
    Executor background();

    /** What to throw when {@code what} was asked of Kafka in vain. */
    static RelayException unavailable(String address, String what, Throwable cause) {
        return new RelayException(
                "Kafka at " + address + " does not answer (" + what + "): " + cause.getMessage(),
                "start Kafka or correct relay.kafka; a relay goes on by itself, another command is to be run again",
                cause);
    }
}

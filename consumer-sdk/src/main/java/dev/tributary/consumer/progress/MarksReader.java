package dev.tributary.consumer.progress;

import dev.tributary.outbox.wire.ProgressMark;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads sources' progress marks, for all who want them: one consumer, without a group, per process and Kafka cluster. It
 * begins near the topics' ends, waits for what is not there yet, and opens again what broke. Thread-safe.
 */
final class MarksReader implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(MarksReader.class);
    private static final Duration POLL_MAX = Duration.ofMillis(500);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);
    private static final Duration LOOK_FOR_TOPICS_EVERY = Duration.ofSeconds(1);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
    /** A relay that was frozen may have written an old mark after newer ones. */
    private static final long MARKS_READ_BACK = 100;

    private static final Map<Map<String, Object>, MarksReader> READERS = new HashMap<>();

    private final Map<String, Object> settings;
    private final List<Wish> wishes = new ArrayList<>();
    private final Map<String, ProgressMark> latest = new ConcurrentHashMap<>();
    private @Nullable KafkaConsumer<byte[], byte[]> consumer;
    private long lookedNanos;

    private record Wish(String source, Consumer<ProgressMark> listener) {}

    private MarksReader(Map<String, Object> settings) {
        this.settings = settings;
    }

    /**
     * Has {@code listener} called with a source's marks, beginning with the last one, until closed; by a thread that it must not
     * hold up. Old marks may come among newer ones.
     *
     * @param kafka Kafka client settings
     */
    static AutoCloseable read(Map<String, Object> kafka, String source, Consumer<ProgressMark> listener) {
        Map<String, Object> connection = new HashMap<>(kafka);
        connection.keySet().retainAll(AdminClientConfig.configNames());
        connection.remove(AdminClientConfig.CLIENT_ID_CONFIG);
        Wish wish = new Wish(source, listener);
        MarksReader reader;
        synchronized (READERS) {
            reader = READERS.computeIfAbsent(Map.copyOf(connection), MarksReader::new);
            reader.add(wish);
        }
        return () -> remove(reader, wish);
    }

    private void add(Wish wish) {
        synchronized (wishes) {
            wishes.add(wish);
            if (wishes.size() == 1) {
                Thread thread = new Thread(this, "tributary-marks");
                thread.setDaemon(true);
                thread.start();
            }
        }
        ProgressMark mark = latest.get(wish.source());
        if (mark != null) {
            wish.listener().accept(mark);
        }
        wake();
    }

    private static void remove(MarksReader reader, Wish wish) {
        synchronized (READERS) {
            synchronized (reader.wishes) {
                reader.wishes.remove(wish);
                if (reader.wishes.isEmpty()) {
                    READERS.values().remove(reader); // its thread ends; who comes next gets another
                }
            }
        }
        reader.wake();
    }

    private synchronized void wake() {
        if (consumer != null) {
            consumer.wakeup();
        }
    }

    private Set<String> sources() {
        synchronized (wishes) {
            Set<String> sources = new TreeSet<>();
            wishes.forEach(wish -> sources.add(wish.source()));
            return sources;
        }
    }

    @Override
    public void run() {
        String problem = "";
        while (!sources().isEmpty()) {
            try (KafkaConsumer<byte[], byte[]> opened = open()) {
                while (!sources().isEmpty()) {
                    turn(opened);
                    problem = "";
                }
            } catch (RuntimeException | Error e) { // a thread that ended here would let every reader wait in vain
                if (!problem.equals(e.toString())) {
                    LOG.warn("Progress marks cannot be read: {}", e.toString(), e instanceof KafkaException ? null : e);
                }
                problem = e.toString();
                pause();
            } finally {
                opened(null);
            }
        }
    }

    private KafkaConsumer<byte[], byte[]> open() {
        Map<String, Object> own = new HashMap<>(settings);
        own.put(ConsumerConfig.CLIENT_ID_CONFIG, "tributary-marks");
        own.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        own.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class.getName());
        own.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        own.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
        own.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"); // a topic that was created anew counts as a whole
        own.putIfAbsent(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 10_000);
        KafkaConsumer<byte[], byte[]> opened = new KafkaConsumer<>(own);
        opened(opened);
        lookedNanos = System.nanoTime() - LOOK_FOR_TOPICS_EVERY.toNanos();
        return opened;
    }

    private synchronized void opened(@Nullable KafkaConsumer<byte[], byte[]> now) {
        consumer = now;
    }

    private void turn(KafkaConsumer<byte[], byte[]> opened) {
        try {
            assign(opened);
            if (opened.assignment().isEmpty()) {
                pause();
                return;
            }
            for (ConsumerRecord<byte[], byte[]> record : opened.poll(POLL_MAX)) {
                take(record);
            }
        } catch (WakeupException e) {
            LOG.trace("Woken");
        }
    }

    private void assign(KafkaConsumer<byte[], byte[]> opened) {
        Set<TopicPartition> wanted = new HashSet<>();
        sources().forEach(source -> wanted.add(new TopicPartition(ProgressMark.topicOf(source), 0)));
        Set<TopicPartition> assigned = new HashSet<>(opened.assignment());
        if (assigned.equals(wanted)) {
            return;
        }
        if (assigned.retainAll(wanted)) {
            opened.assign(assigned);
        }
        if (System.nanoTime() - lookedNanos >= LOOK_FOR_TOPICS_EVERY.toNanos()) {
            lookedNanos = System.nanoTime();
            wanted.removeAll(assigned);
            wanted.removeIf(
                    marks -> opened.partitionsFor(marks.topic(), ANSWER_MAX).isEmpty());
            if (!wanted.isEmpty()) {
                begin(opened, assigned, wanted);
            }
        }
    }

    private static void begin(
            KafkaConsumer<byte[], byte[]> opened, Set<TopicPartition> assigned, Set<TopicPartition> added) {
        Set<TopicPartition> all = new HashSet<>(assigned);
        all.addAll(added);
        opened.assign(all);
        Map<TopicPartition, Long> beginnings = opened.beginningOffsets(added, ANSWER_MAX);
        Map<TopicPartition, Long> ends = opened.endOffsets(added, ANSWER_MAX);
        for (TopicPartition marks : added) {
            long end = ends.getOrDefault(marks, 0L);
            opened.seek(marks, Math.max(beginnings.getOrDefault(marks, 0L), end - MARKS_READ_BACK));
        }
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        ProgressMark mark;
        try {
            mark = ProgressMark.fromJson(record.value() == null ? new byte[0] : record.value());
        } catch (IOException e) {
            LOG.warn("{} at {} is no progress mark: {}", record.topic(), record.offset(), e.getMessage());
            return;
        }
        if (!record.topic().equals(ProgressMark.topicOf(mark.source()))) {
            LOG.warn("{} at {} is a mark of source {}", record.topic(), record.offset(), mark.source());
            return;
        }
        List<Wish> concerned;
        synchronized (wishes) {
            ProgressMark before = latest.get(mark.source());
            if (before == null || !before.isAfter(mark)) {
                latest.put(mark.source(), mark);
            }
            concerned = wishes.stream()
                    .filter(wish -> wish.source().equals(mark.source()))
                    .toList();
        }
        concerned.forEach(wish -> wish.listener().accept(mark));
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY_AFTER.toMillis());
        } catch (InterruptedException e) {
            // Nobody has business with this thread; it ends when nobody wants marks
            LOG.debug("Interrupted");
        }
    }
}

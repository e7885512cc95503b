package dev.tributary.relay.setup;

import dev.tributary.relay.config.Suggestion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Looks at Kafka and at the client's properties, and changes nothing. */
public final class KafkaPreflight {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private KafkaPreflight() {}

    /** All findings, good ones too. */
    public static List<Finding> of(Map<String, Object> kafka) {
        return of(kafka, PATIENCE);
    }

    static List<Finding> of(Map<String, Object> kafka, Duration patience) {
        List<Finding> findings = new ArrayList<>(properties(kafka));
        if (findings.stream().noneMatch(Finding::isFailure)) {
            findings.add(broker(kafka, patience));
        }
        return findings;
    }

    /** Properties that the client would not take, or does not know; empty if all is well. Connects to nothing. */
    public static List<Finding> properties(Map<String, Object> kafka) {
        List<Finding> findings = new ArrayList<>();
        Set<String> known = new TreeSet<>(ProducerConfig.configNames());
        known.addAll(ConsumerConfig.configNames());
        known.addAll(AdminClientConfig.configNames());
        kafka.keySet().stream().filter(key -> !known.contains(key)).forEach(key -> {
            String meant = Suggestion.of(key, known);
            // Plug-ins have properties of their own, so only what looks like a slip is worth a word
            if (!meant.isEmpty()) {
                findings.add(Finding.warning(
                        "properties",
                        "Kafka's client does not know '" + key + "'" + meant,
                        "Correct relay.kafka." + key));
            }
        });
        try {
            Map<String, Object> complete = new HashMap<>(kafka);
            complete.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
            complete.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
            ProducerConfig unused = new ProducerConfig(complete);
            unused.ignore(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG);
        } catch (KafkaException e) {
            findings.add(Finding.failed("properties", String.valueOf(e.getMessage()), "Correct it under relay.kafka"));
        }
        return findings;
    }

    private static Finding broker(Map<String, Object> kafka, Duration patience) {
        Object servers = kafka.get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG);
        String remedy =
                "Start Kafka, or correct relay.kafka.bootstrap.servers and, where Kafka asks for them, relay.kafka.security.protocol, sasl.* and ssl.*";
        try {
            int brokers = brokers(kafka, patience);
            return Finding.ok("connection", brokers + (brokers == 1 ? " broker" : " brokers") + " by " + servers);
        } catch (TimeoutException e) {
            return Finding.failed(
                    "connection",
                    "no broker answered at " + servers + " within " + patience.toSeconds() + " s",
                    remedy);
        } catch (ExecutionException e) {
            return Finding.failed("connection", "Kafka at " + servers + " refuses: " + reason(e), remedy);
        } catch (KafkaException e) {
            return Finding.failed("connection", "Kafka's client does not start: " + reason(e), remedy);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Finding.failed("connection", "interrupted while asking " + servers, "");
        }
    }

    private static int brokers(Map<String, Object> kafka, Duration patience)
            throws ExecutionException, InterruptedException, TimeoutException {
        Admin admin = Admin.create(kafka);
        try {
            return admin.describeCluster()
                    .nodes()
                    .get(patience.toMillis(), TimeUnit.MILLISECONDS)
                    .size();
        } finally {
            // Otherwise it would wait a minute for the answer that did not come
            admin.close(Duration.ZERO);
        }
    }

    private static String reason(Throwable e) {
        Throwable cause = e.getCause();
        return String.valueOf((cause == null ? e : cause).getMessage());
    }
}

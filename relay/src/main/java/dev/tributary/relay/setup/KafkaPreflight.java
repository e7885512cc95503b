package dev.tributary.relay.setup;

import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.relay.config.Suggestion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
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
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Looks at Kafka and at the client's properties, and changes nothing. */
public final class KafkaPreflight {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private KafkaPreflight() {}

    /**
     * All findings, good ones too.
     *
     * @param sources the names of the sources, whose topics of progress marks are looked at
     */
    public static List<Finding> of(Map<String, Object> kafka, Collection<String> sources) {
        return of(kafka, sources, PATIENCE);
    }

    static List<Finding> of(Map<String, Object> kafka, Collection<String> sources, Duration patience) {
        List<Finding> findings = new ArrayList<>(properties(kafka));
        if (findings.stream().noneMatch(Finding::isFailure)) {
            findings.addAll(broker(kafka, sources, patience));
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

    private static List<Finding> broker(Map<String, Object> kafka, Collection<String> sources, Duration patience) {
        Object servers = kafka.get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG);
        String remedy =
                "Start Kafka, or correct relay.kafka.bootstrap.servers and, where Kafka asks for them, relay.kafka.security.protocol, sasl.* and ssl.*";
        try {
            Admin admin = Admin.create(kafka);
            try {
                int brokers = get(admin.describeCluster().nodes(), patience).size();
                List<Finding> findings = new ArrayList<>();
                findings.add(
                        Finding.ok("connection", brokers + (brokers == 1 ? " broker" : " brokers") + " by " + servers));
                findings.addAll(marks(admin, sources, patience));
                return findings;
            } finally {
                // Otherwise it would wait a minute for the answer that did not come
                admin.close(Duration.ZERO);
            }
        } catch (TimeoutException e) {
            return List.of(Finding.failed(
                    "connection",
                    "no broker answered at " + servers + " within " + patience.toSeconds() + " s",
                    remedy));
        } catch (ExecutionException e) {
            return List.of(Finding.failed("connection", "Kafka at " + servers + " refuses: " + reason(e), remedy));
        } catch (KafkaException e) {
            return List.of(Finding.failed("connection", "Kafka's client does not start: " + reason(e), remedy));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of(Finding.failed("connection", "interrupted while asking " + servers, ""));
        }
    }

    /** Topics of progress marks that would lose them; those that are missing the relay creates. */
    private static List<Finding> marks(Admin admin, Collection<String> sources, Duration patience)
            throws ExecutionException, InterruptedException, TimeoutException {
        Set<String> existing = get(admin.listTopics().names(), patience);
        List<ConfigResource> marks = sources.stream()
                .map(ProgressMark::topicOf)
                .filter(existing::contains)
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        List<Finding> findings = new ArrayList<>();
        try {
            get(admin.describeConfigs(marks).all(), patience).forEach((topic, config) -> {
                ConfigEntry entry = config.get(TopicConfig.CLEANUP_POLICY_CONFIG);
                String policy = entry == null ? TopicConfig.CLEANUP_POLICY_COMPACT : entry.value();
                if (!policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
                    findings.add(Finding.failed(
                            "marks",
                            topic.name() + " has cleanup.policy " + policy
                                    + ": while the relay is away, Kafka would remove the progress marks",
                            "kafka-configs.sh --alter --topic " + topic.name()
                                    + " --add-config cleanup.policy=compact"));
                }
            });
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof AuthorizationException)) {
                throw e;
            }
            findings.add(Finding.warning(
                    "marks",
                    "the relay may not read the configuration of its topics, which are not checked",
                    "Allow it DescribeConfigs; cleanup.policy must be compact for tributary.progress.*, delete for the"
                            + " others"));
        }
        return findings;
    }

    private static <T> T get(KafkaFuture<T> answer, Duration patience)
            throws ExecutionException, InterruptedException, TimeoutException {
        return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static String reason(Throwable e) {
        Throwable cause = e.getCause();
        return String.valueOf((cause == null ? e : cause).getMessage());
    }
}

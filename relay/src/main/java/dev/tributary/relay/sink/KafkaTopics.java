package dev.tributary.relay.sink;

import dev.tributary.relay.flow.RelayException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Kafka's admin client. */
final class KafkaTopics implements Topics {
    private static final Logger LOG = LoggerFactory.getLogger(Topics.class);
    /** Of topics that the relay creates; who wants another number creates them first. */
    private static final int PARTITIONS = 6;

    private final String address;
    private final SharedAdmin shared;
    private final Duration answerMax;
    private final Set<String> ready = new HashSet<>();
    /** Spares a look-up for each event of a run of events to the same topic. */
    private String lastAsked = "";

    private boolean closed;

    /**
     * Connects in the background.
     *
     * @param answerMax by when a client that lives says something
     */
    KafkaTopics(String address, SharedAdmin shared, Duration answerMax) {
        this.address = address;
        this.shared = shared;
        this.answerMax = answerMax;
        shared.join();
    }

    @Override
    public Set<String> existing(Predicate<String> filter) {
        Set<String> names =
                new HashSet<>(get("list topics", admin -> admin.listTopics().names()));
        names.removeIf(filter.negate());
        return names;
    }

    @Override
    public void ensureMarks(String topic) {
        NewTopic marks = new NewTopic(topic, Optional.of(1), Optional.empty())
                .configs(Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT));
        String policy = create(marks) ? null : cleanupPolicy(topic);
        if (policy != null && !policy.equals(TopicConfig.CLEANUP_POLICY_COMPACT)) {
            throw new RelayException.Stopped(
                    "topic " + topic + " has cleanup.policy " + policy
                            + ": while the relay is away, Kafka would remove the progress marks",
                    "set its cleanup.policy to compact",
                    null);
        }
    }

    @Override
    public void ensure(String topic) {
        if (topic.equals(lastAsked) || ready.contains(topic)) {
            lastAsked = topic;
            return;
        }
        if (!create(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty()))) {
            check(topic);
        }
        ready.add(topic);
    }

    /** False if it was there already. */
    private boolean create(NewTopic topic) {
        if (get("list topics", admin -> admin.listTopics().names()).contains(topic.name())) {
            return false; // who may not create topics may still use those that are there
        }
        try {
            ask(admin -> admin.createTopics(List.of(topic)).all());
            LOG.info("Created topic {} with {} partitions", topic.name(), topic.numPartitions());
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return false;
            }
            if (e.getCause() instanceof AuthorizationException) {
                throw new RelayException.Stopped(
                        "the relay may not create topic " + topic.name() + ": "
                                + e.getCause().getMessage(),
                        "create it, or allow the relay to",
                        e);
            }
            if (e.getCause() instanceof InvalidTopicException || e.getCause() instanceof PolicyViolationException) {
                throw new RelayException.Stopped(
                        "Kafka refuses topic " + topic.name() + ": "
                                + e.getCause().getMessage(),
                        "choose another `topic` template, or name the event's id under `skip`; then restart the relay",
                        e);
            }
            throw unavailable("create topic " + topic.name(), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private void check(String topic) {
        String policy = cleanupPolicy(topic);
        if (policy != null && policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
            throw new RelayException.Stopped(
                    "topic " + topic + " is compacted: Kafka would remove events",
                    "set its cleanup.policy to delete",
                    null);
        }
    }

    /** Null if the relay may not know. */
    private @Nullable String cleanupPolicy(String topic) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        try {
            ConfigEntry policy = ask(admin ->
                            admin.describeConfigs(List.of(resource)).all())
                    .getOrDefault(resource, new Config(List.of()))
                    .get(TopicConfig.CLEANUP_POLICY_CONFIG);
            return policy == null ? null : policy.value();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                LOG.warn("Topic {} is not checked: the relay may not read its configuration", topic);
                return null;
            }
            throw unavailable("describe topic " + topic, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** An answer, or a failure, also of a client whose thread has ended: the next question then goes to another one. */
    private <T> T ask(Function<Admin, KafkaFuture<T>> question) throws ExecutionException, InterruptedException {
        Admin asked = administrator();
        try {
            return question.apply(asked).get(answerMax.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            shared.replaceIfEnded(asked);
            throw e;
        } catch (TimeoutException e) {
            shared.replace(asked);
            throw new ExecutionException(
                    new org.apache.kafka.common.errors.TimeoutException("the client says nothing any more", e));
        }
    }

    private Admin administrator() throws ExecutionException {
        try {
            return shared.admin();
        } catch (KafkaException e) { // none of the names is known at the moment
            throw new ExecutionException(e);
        }
    }

    private <T> T get(String what, Function<Admin, KafkaFuture<T>> question) {
        try {
            return ask(question);
        } catch (ExecutionException e) {
            throw unavailable(what, e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private RelayException unavailable(String what, ExecutionException e) {
        return Kafka.unavailable(address, what, e.getCause() == null ? e : e.getCause());
    }

    private static KafkaException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new org.apache.kafka.common.errors.InterruptException(e);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            shared.leave();
        }
    }
}

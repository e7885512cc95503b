package dev.tributary.consumer;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.consumer.SubscriptionConfig.Policy;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.Upcasters;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Applies the events of some topics to a view, each exactly once, until closed. Any number of instances, in any number
 * of processes, may run under one name and share its partitions; they must share the view's database too.
 *
 * <p>Thread-safe.
 */
public final class Subscription implements AutoCloseable {
    private final PollLoop loop;
    private final ParkedEvents parkedEvents;
    private final @Nullable DeadLetterMirror mirror;

    private Subscription(SubscriptionConfig config) {
        loop = new PollLoop(config);
        parkedEvents = new ParkedEvents(config, loop::counters);
        String deadLetters = config.policy().deadLetterTopic();
        mirror = deadLetters == null ? null : new DeadLetterMirror(config, deadLetters, this::ownPartitions);
    }

    /**
     * Starts describing a subscription.
     *
     * @param name names its rows in the database, and its consumer group in Kafka, where it must be unique
     */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** The subscription's name. */
    public String name() {
        return loop.config().name();
    }

    /** The topics that it reads, or waits for. */
    public Set<String> topics() {
        return loop.config().topics();
    }

    private List<TopicPartition> ownPartitions() {
        return status().partitions().stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
    }

    /** How this instance stands. */
    public SubscriptionStatus status() {
        return loop.status();
    }

    /** What is set aside, by all instances, and what can be done about it; also after {@link #close}. */
    public ParkedEvents parkedEvents() {
        return parkedEvents;
    }

    private void start() {
        loop.start();
        if (mirror != null) {
            mirror.start();
        }
    }

    /** What accompanies it in this SDK is built from this; not for applications. */
    public Wiring wiring() {
        return new Wiring(loop);
    }

    /**
     * Finishes or cuts the running transactions and leaves the group; returns within {@link Timeouts#close} and a few
     * seconds. What was not committed is applied by the next owner. Not to be called by a handler.
     */
    @Override
    public void close() {
        if (mirror != null) {
            mirror.close();
        }
        loop.close();
    }

    /** Describes a subscription. Not thread-safe. */
    public static final class Builder {
        private final String name;
        private final Set<String> topics = new LinkedHashSet<>();
        private final Map<String, TypeHandler<?>> handlers = new TreeMap<>();
        private Map<String, Object> kafka = Map.of();
        private @Nullable DataSource dataSource;
        private @Nullable ObjectMapper mapper;
        private Upcasters upcasters = Upcasters.none();
        private Policy policy = Policy.DEFAULT;
        private Limits limits = Limits.ofDefaults();
        private Timeouts timeouts = Timeouts.ofDefaults();
        private @Nullable Feed feed;

        private Builder(String name) {
            this.name = name;
        }

        /** Kafka's consumer settings; {@code bootstrap.servers} is required. Those that weaken the guarantees are refused. */
        public Builder kafka(Map<String, ?> settings) {
            kafka = Map.copyOf(settings);
            return this;
        }

        /**
         * The view's database. Each partition at work holds one connection, so a pool should have as many as this
         * instance may get partitions. Its connections must not be shared with an ambient transaction.
         */
        public Builder dataSource(DataSource database) {
            dataSource = database;
            return this;
        }

        /** Adds topics. They may be created later; they are waited for. */
        public Builder topics(String... names) {
            topics.addAll(List.of(names));
            return this;
        }

        /** The topics added until now. */
        public Set<String> addedTopics() {
            return Set.copyOf(topics);
        }

        /**
         * Adds the handler of one event type.
         *
         * @param type {@code name.vN}, after upcasting
         * @param payload what JSON payloads are read as; {@code byte[]} for payloads as they are
         */
        public <T> Builder on(String type, Class<T> payload, EventHandler<T> handler) {
            return add(type, TypeHandler.plain(payload, handler));
        }

        /** As {@link #on}, with a handler that declares row operations. Both kinds may be mixed. */
        public <T> Builder onRows(String type, Class<T> payload, RowsHandler<T> handler) {
            return add(type, TypeHandler.rows(payload, handler));
        }

        private Builder add(String type, TypeHandler<?> handler) {
            if (type.isBlank() || !type.equals(type.strip())) {
                throw new SubscriptionException("subscription " + name + " has a handler for type '" + type
                        + "'; types are named name.vN, without blanks around them");
            }
            if (handlers.putIfAbsent(type, handler) != null) {
                throw new SubscriptionException("subscription " + name + " has two handlers for " + type);
            }
            return this;
        }

        /**
         * What reads JSON payloads, as {@link PayloadReader} says. By default one that knows the modules on the class path
         * and ignores unknown fields.
         */
        public Builder objectMapper(ObjectMapper jackson) {
            mapper = jackson;
            return this;
        }

        /**
         * What becomes of old types before handlers are looked for; none by default. May be the same for all of a
         * service's subscriptions.
         */
        public Builder upcasters(Upcasters ofOldTypes) {
            upcasters = ofOldTypes;
            return this;
        }

        /** {@link UnknownType#SKIP_UNRELATED} by default. */
        public Builder onUnknownType(UnknownType unknownType) {
            policy = policy.with(unknownType);
            return this;
        }

        /** {@link Garbage#SKIP} by default. */
        public Builder onGarbage(Garbage garbage) {
            policy = policy.with(garbage);
            return this;
        }

        /** {@link StartFrom#EARLIEST} by default. */
        public Builder startFrom(StartFrom startFrom) {
            policy = policy.with(startFrom);
            return this;
        }

        /** {@link SequenceGap#PARK} by default. To be ignored if topics do not carry all of their aggregates' events. */
        public Builder onSequenceGap(SequenceGap sequenceGap) {
            policy = policy.with(sequenceGap);
            return this;
        }

        /**
         * Has parked events sent to a topic too, for tools that look there; none by default. The topic must exist, or the
         * broker create it. Each event arrives once or more often, with its key, bytes and headers, and with the headers
         * {@code kafka_dlt-*} that Spring's consumers know. What happens to it later is not told there.
         */
        public Builder deadLetterTopic(String topic) {
            policy = policy.withDeadLetterTopic(topic);
            return this;
        }

        /** {@link Limits#ofDefaults} by default. */
        public Builder limits(Limits bounds) {
            limits = bounds;
            return this;
        }

        /** {@link Timeouts#ofDefaults} by default. */
        public Builder timeouts(Timeouts durations) {
            timeouts = durations;
            return this;
        }

        /** Makes it feed tables that can be built anew; {@link #startFrom} does not count then. */
        public Builder feed(Feed rules) {
            feed = rules;
            return this;
        }

        /**
         * Starts it in threads of its own. Kafka and the database may be away: it waits for them.
         *
         * @throws SubscriptionException if something is missing, or a setting would weaken the guarantees
         */
        public Subscription start() {
            Subscription subscription = new Subscription(config());
            subscription.start();
            return subscription;
        }

        /**
         * Starts nothing.
         *
         * @throws SubscriptionException where {@link #start} would
         */
        public void check() {
            config();
        }

        private SubscriptionConfig config() {
            if (dataSource == null) {
                throw new SubscriptionException("subscription " + name + " has no dataSource(...) for its view");
            }
            return new SubscriptionConfig(name, kafka, dataSource, topics, ofTypes(), policy, limits, timeouts, feed);
        }

        private Handlers ofTypes() {
            PayloadReader payloads =
                    mapper == null ? PayloadReader.of(upcasters) : new PayloadReader(mapper, upcasters);
            return new Handlers(name, handlers, payloads, policy.unknownType());
        }
    }
}

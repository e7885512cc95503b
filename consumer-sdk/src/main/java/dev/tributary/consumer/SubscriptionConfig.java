package dev.tributary.consumer;

import dev.tributary.outbox.wire.WireHeaders;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * What a subscription was built with, checked. Immutable.
 *
 * @param name names the rows in the database and the consumer group in Kafka
 * @param kafka the consumer's settings, complete
 * @param feed null if it feeds no tables that can be built anew
 */
record SubscriptionConfig(
        String name,
        Map<String, Object> kafka,
        DataSource dataSource,
        Set<String> topics,
        Handlers handlers,
        Policy policy,
        Limits limits,
        Timeouts timeouts,
        @Nullable Feed feed) {
    private static final int NAME_LENGTH_MAX = 128;
    /** No need of quotes, so that a search path can be made of it. */
    private static final Pattern SCHEMA = Pattern.compile("[a-z][a-z0-9_]{0,62}");

    private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

    SubscriptionConfig {
        if (name.isBlank() || name.length() > NAME_LENGTH_MAX || name.indexOf('\0') >= 0) {
            throw new SubscriptionException(
                    "a subscription needs a name of 1 to " + NAME_LENGTH_MAX + " characters, not '" + name + "'");
        }
        if (topics.isEmpty()) {
            throw new SubscriptionException("subscription " + name + " has no topics; name some with topics(...)");
        }
        topics.forEach(topic -> checkTopic(name, topic));
        if (policy.deadLetterTopic() != null) {
            checkTopic(name, policy.deadLetterTopic());
        }
        if (policy.deadLetterTopic() != null && topics.contains(policy.deadLetterTopic())) {
            throw new SubscriptionException("subscription " + name + " reads " + policy.deadLetterTopic()
                    + ", so that cannot be its dead-letter topic");
        }
        if (feed != null && !SCHEMA.matcher(feed.schema()).matches()) {
            throw new SubscriptionException("subscription " + name + ": '" + feed.schema()
                    + "' cannot name its schema; use at most 63 small letters, digits and _");
        }
        if (feed != null && feed.history().replays().stream().anyMatch(topics::contains)) {
            throw new SubscriptionException("subscription " + name + " reads one of "
                    + feed.history().replays() + " as a topic of live events, and its history was to come from there");
        }
        kafka = KafkaSettings.complete(name, kafka);
        topics = Set.copyOf(topics);
    }

    private static void checkTopic(String name, String topic) {
        if (!TOPIC.matcher(topic).matches() || topic.equals(".") || topic.equals("..")) {
            throw new SubscriptionException("subscription " + name + ": '" + topic
                    + "' cannot name a topic; Kafka's have 1 to 249 letters, digits, '.', '_' and '-'");
        }
    }

    /** Whether it is a replayed event of a topic that is not read: its like will not come when events are live. */
    boolean passesOver(Event<?> event) {
        String origin = feed == null ? null : event.headers().get(WireHeaders.REPLAY_OF);
        return origin != null && !topics.contains(origin);
    }

    /** A handler of either kind, with the class that its events' payloads are read as. */
    record TypeHandler<T>(Class<T> payload, Call<T> handler) {
        /** How a handler is given what it works with. */
        interface Call<T> {
            void handle(Event<T> event, HandlerTransaction transaction) throws Exception;
        }

        static <T> TypeHandler<T> plain(Class<T> payload, EventHandler<T> handler) {
            return new TypeHandler<>(payload, (event, transaction) -> handler.handle(event, transaction.connection()));
        }

        static <T> TypeHandler<T> rows(Class<T> payload, RowsHandler<T> handler) {
            return new TypeHandler<>(payload, (event, transaction) -> handler.handle(event, transaction.rows()));
        }
    }

    /**
     * What to do about the unusual.
     *
     * @param deadLetterTopic where parked events go too; null for nowhere
     */
    record Policy(
            UnknownType unknownType,
            Garbage garbage,
            StartFrom startFrom,
            SequenceGap sequenceGap,
            @Nullable String deadLetterTopic) {
        static final Policy DEFAULT =
                new Policy(UnknownType.SKIP_UNRELATED, Garbage.SKIP, StartFrom.EARLIEST, SequenceGap.PARK, null);

        Policy with(UnknownType other) {
            return new Policy(other, garbage, startFrom, sequenceGap, deadLetterTopic);
        }

        Policy with(Garbage other) {
            return new Policy(unknownType, other, startFrom, sequenceGap, deadLetterTopic);
        }

        Policy with(StartFrom other) {
            return new Policy(unknownType, garbage, other, sequenceGap, deadLetterTopic);
        }

        Policy with(SequenceGap other) {
            return new Policy(unknownType, garbage, startFrom, other, deadLetterTopic);
        }

        Policy withDeadLetterTopic(String topic) {
            return new Policy(unknownType, garbage, startFrom, sequenceGap, topic);
        }
    }
}

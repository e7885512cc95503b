package dev.tributary.relay.config;

import dev.tributary.outbox.retention.RetentionSettings;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One service database that the relay tails. Immutable.
 *
 * @param name the source's name, as in topics, metrics and the slot's name: lower-case letters, digits and underscores
 * @param url JDBC URL of the database, without user and password
 * @param username a role that may replicate
 * @param password its password; empty if the server asks for none; never printed
 * @param engine how changes are read
 * @param topic template of topic names, with {@code ${source}} and {@code ${aggregate_type}}
 * @param epoch raised by one whenever the database's LSNs lost their meaning (restore, dump and reload); at least 1
 * @param skip ids of events that are not to be relayed: what an operator decides about an event that Kafka cannot take
 * @param layout the tables that hold the events
 * @param poison what becomes of an event that Kafka will never take
 * @param transactionBytesMax how much of one transaction the Debezium engine may hold in memory
 * @param slotLimits when the WAL that the slot keeps becomes a danger
 * @param retention how long events stay in the outbox; null if the relay is not to remove any
 */
public record SourceConfig(
        String name,
        String url,
        String username,
        String password,
        Engine engine,
        String topic,
        int epoch,
        Set<UUID> skip,
        OutboxLayout layout,
        Poison poison,
        int transactionBytesMax,
        SlotLimits slotLimits,
        @Nullable RetentionSettings retention) {
    /** A quarter of a heap of 256 MB. */
    public static final int DEFAULT_TRANSACTION_BYTES_MAX = 64 * 1024 * 1024;

    private static final String SLOT_PREFIX = "tributary_";
    private static final int SLOT_NAME_CHARS_MAX = 63;
    private static final int NAME_CHARS_MAX = SLOT_NAME_CHARS_MAX - SLOT_PREFIX.length();
    private static final Pattern NAME = Pattern.compile("[a-z0-9_]{1," + NAME_CHARS_MAX + "}");
    private static final Pattern CREDENTIALS = Pattern.compile("[?&](user|password)=|//[^/?]*@");

    private static final Pattern OWN_SOCKETS = Pattern.compile("[?&]socketFactory(Arg)?=");

    /** How changes are read from the database. */
    public enum Engine {
        PGOUTPUT,
        DEBEZIUM
    }

    /** What becomes of an event that Kafka will never take. */
    public enum Poison {
        /** The source stops, and says which event it is. */
        STOP,
        /**
         * It is set aside in the source's database, in {@code tributary.dead_letter}, and behind it all that its aggregate
         * publishes since; all other aggregates flow.
         */
        DEAD_LETTER
    }

    /** With Tributary's own tables, and nothing out of the ordinary. */
    public SourceConfig(
            String name, String url, String username, String password, Engine engine, String topic, int epoch) {
        this(
                name,
                url,
                username,
                password,
                engine,
                topic,
                epoch,
                Set.of(),
                OutboxLayout.tributary(),
                Poison.STOP,
                DEFAULT_TRANSACTION_BYTES_MAX,
                SlotLimits.DEFAULT,
                null);
    }

    /**
     * Checks everything.
     *
     * @throws ConfigurationException naming every mistake
     */
    public SourceConfig {
        skip = Set.copyOf(skip);
        List<Mistake> mistakes = new ArrayList<>();
        if (!NAME.matcher(name).matches()) {
            mistakes.add(new Mistake(
                    "relay.sources." + name,
                    "a source's name has 1 to " + NAME_CHARS_MAX + " lower-case letters, digits and underscores"));
        }
        String urlProblem = urlProblem(url);
        if (urlProblem != null) {
            mistakes.add(new Mistake(key(name, "url"), urlProblem));
        }
        if (username.isBlank()) {
            mistakes.add(new Mistake(key(name, "username"), "is missing; name a role that may replicate"));
        }
        if (engine == Engine.PGOUTPUT && OWN_SOCKETS.matcher(url).find()) {
            mistakes.add(
                    new Mistake(
                            key(name, "url"),
                            "must not name a socketFactory, since engine pgoutput has its own; connect through a proxy instead"));
        }
        TopicTemplate.problems(topic, name).forEach(p -> mistakes.add(new Mistake(key(name, "topic"), p)));
        if (epoch < 1) {
            mistakes.add(new Mistake(key(name, "epoch"), "must be 1 or more, not " + epoch));
        }
        if (transactionBytesMax < 1) {
            mistakes.add(
                    new Mistake(key(name, "transaction.bytes.max"), "must be 1 or more, not " + transactionBytesMax));
        }
        if (poison == Poison.DEAD_LETTER && !layout.isOwn()) {
            mistakes.add(new Mistake(
                    key(name, "poison"),
                    "dead-letter needs Tributary's own tables; with another layout it must be stop"));
        }
        if (retention != null && !layout.isOwn()) {
            mistakes.add(new Mistake(
                    key(name, RetentionKeys.WINDOW),
                    "needs Tributary's own tables; rows of another layout are their service's to delete"));
        }
        ConfigurationException.throwIfAny(mistakes);
    }

    private static @Nullable String urlProblem(String url) {
        if (url.isBlank()) {
            return "is missing; give a JDBC URL such as jdbc:postgresql://localhost:5432/sales";
        }
        if (CREDENTIALS.matcher(url).find()) {
            return "must not carry user or password; give them as username and password";
        }
        return url.startsWith("jdbc:postgresql:") && driverAccepts(url)
                ? null
                : "is not a JDBC URL of PostgreSQL, such as jdbc:postgresql://localhost:5432/sales";
    }

    private static boolean driverAccepts(String url) {
        try {
            return DriverManager.getDriver(url).acceptsURL(url);
        } catch (SQLException e) {
            return false;
        }
    }

    private static String key(String source, String key) {
        return "relay.sources." + source + "." + key;
    }

    /** The full name of one of this source's keys, as people find it in the configuration. */
    public String key(String key) {
        return key(name, key);
    }

    /** The replication slot's name. */
    public String slot() {
        return SLOT_PREFIX + name;
    }

    /** The publication's name: one for all who read Tributary's tables, one for each other table that is read. */
    public String publication() {
        return layout.isOwn() ? "tributary" : SLOT_PREFIX + name;
    }

    /** The same source, read by {@code engine}. */
    public SourceConfig withEngine(Engine engine) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, of which these events are not relayed. */
    public SourceConfig withSkip(Set<UUID> skip) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, with its events in other tables. */
    public SourceConfig withLayout(OutboxLayout layout) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, with another way to treat what Kafka will never take. */
    public SourceConfig withPoison(Poison poison) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, with other limits to the WAL that its slot keeps. */
    public SourceConfig withSlotLimits(SlotLimits slotLimits) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, of which so much of a transaction may be held in memory. */
    public SourceConfig withTransactionBytesMax(int transactionBytesMax) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    /** The same source, whose events stay in the outbox for so long. */
    public SourceConfig withRetention(RetentionSettings retention) {
        return with(engine, skip, layout, poison, transactionBytesMax, slotLimits, retention);
    }

    private SourceConfig with(
            Engine engine,
            Set<UUID> skip,
            OutboxLayout layout,
            Poison poison,
            int transactionBytesMax,
            SlotLimits slotLimits,
            @Nullable RetentionSettings retention) {
        return new SourceConfig(
                name,
                url,
                username,
                password,
                engine,
                topic,
                epoch,
                skip,
                layout,
                poison,
                transactionBytesMax,
                slotLimits,
                retention);
    }

    /** Names this source's topics. */
    public TopicTemplate topics() {
        return new TopicTemplate(name, topic);
    }

    /** The URL without its parameters, which may hold secrets. */
    public String displayUrl() {
        int parameters = url.indexOf('?');
        return parameters < 0 ? url : url.substring(0, parameters);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "SourceConfig[" + name + ", " + displayUrl() + ", " + username + ", " + engine + ", " + topic
                + ", epoch " + epoch + "]";
    }
}

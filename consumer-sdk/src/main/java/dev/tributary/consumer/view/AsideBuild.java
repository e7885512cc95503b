package dev.tributary.consumer.view;

import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionStatus;
import java.sql.SQLException;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * Tables that are built from history beside whatever else there is: in a schema of their own, by a subscription of their
 * own, each event once, in parallel by partition and by all instances that build under the same names. Killed half-way,
 * the next one goes on. No reader knows of them.
 *
 * <p>Thread-safe.
 */
public final class AsideBuild implements AutoCloseable {
    private final Surroundings surroundings;
    private final String schema;
    private final Feeding feeding;
    private final Subscription subscription;

    private AsideBuild(Surroundings surroundings, Feeding feeding, Subscription subscription) {
        this.surroundings = surroundings;
        this.schema = feeding.schema();
        this.feeding = feeding;
        this.subscription = subscription;
    }

    /**
     * Creates the tables, unless they are there already, and starts to fill them.
     *
     * @param subscription names the positions and the consumer group; such as {@code customers.audit}
     * @param schema of small letters, digits and {@code _}; nobody else's
     * @param eventsPerSecondMax how much this process applies at most; {@link Long#MAX_VALUE} for no limit
     * @throws SQLException if the tables cannot be created
     */
    public static AsideBuild start(
            Surroundings surroundings, String subscription, String schema, ViewVersion version, long eventsPerSecondMax)
            throws SQLException {
        Transactions.run(surroundings.dataSource(), connection -> {
            Transactions.lockName(connection, schema);
            if (!VersionTables.exist(connection, schema)) {
                VersionTables.create(connection, schema, version.scripts());
            }
        });
        return feed(
                surroundings,
                subscription,
                version,
                new Feeding(
                        schema,
                        version.history(),
                        connection -> VersionTables.exist(connection, schema),
                        new Pacing(eventsPerSecondMax)));
    }

    /** Fills tables that are there. */
    static AsideBuild feed(Surroundings surroundings, String subscription, ViewVersion version, Feeding feeding) {
        return new AsideBuild(
                surroundings,
                feeding,
                surroundings.subscription(subscription, version).feed(feeding).start());
    }

    /** The schema with the tables. */
    public String schema() {
        return schema;
    }

    /** What fills them. */
    public Subscription subscription() {
        return subscription;
    }

    /** How this instance stands; a partition that cannot go on says why and what to do. */
    public SubscriptionStatus status() {
        return subscription.status();
    }

    /** Per partition the offset that the tables want next, as the database has it, whichever instance built. */
    public Map<TopicPartition, Long> positions() throws SQLException {
        return Transactions.get(surroundings.dataSource(), connection -> Positions.read(connection, subscription.name())
                .offsets());
    }

    /** Lets this instance apply nothing from now on until {@link #resume}; what runs now is finished. */
    public void pause() {
        feeding.paused(true);
    }

    /** Goes on after {@link #pause}. */
    public void resume() {
        feeding.paused(false);
    }

    /**
     * Lets this instance apply only what comes before some offsets. It is there when {@link #positions} says so; what has
     * been applied from there on already stays.
     *
     * @param offsets a partition that is not named has no end
     */
    public void stopBefore(Map<TopicPartition, Long> offsets) {
        feeding.stopBefore(offsets);
    }

    /** Stops filling them here. They stay, and can be gone on with. */
    @Override
    public void close() {
        subscription.close();
    }

    /** Stops filling them here, and removes them with the positions and parked events of all instances. */
    public void drop() throws SQLException {
        close();
        Transactions.run(
                surroundings.dataSource(), connection -> VersionTables.drop(connection, schema, subscription.name()));
    }
}

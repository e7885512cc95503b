package dev.tributary.consumer.view;

import dev.tributary.consumer.EventHandler;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.Timeouts;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A view with versions. The tables of each are in a schema {@code <view>_v<N>}, fed by a subscription {@code <view>.v<N>};
 * readers use the names in the schema {@code <view>}, which lead to the live version. A higher version than the live one is
 * built beside it from history, and takes over in one transaction when it has caught up.
 *
 * <p>Any number of instances may run it, each feeding those versions that it knows; commands given to one hold for all.
 *
 * <p>Thread-safe.
 */
public final class View implements AutoCloseable {
    private final ViewLoop loop;
    private final @Nullable Subscription effects;

    private View(ViewLoop loop, @Nullable Subscription effects) {
        this.loop = loop;
        this.effects = effects;
    }

    /**
     * Starts describing a view.
     *
     * @param name names the readers' schema: at most 40 small letters, digits and {@code _}
     */
    public static Builder builder(String name) {
        return new Builder(name);
    }

    /** The view's name. */
    public String name() {
        return loop.name();
    }

    /** The versions that this instance has handlers of. */
    public Set<Integer> knownVersions() {
        return loop.knownVersions();
    }

    /** The name of the subscription that feeds a version: {@code <view>.v<N>}. */
    public String subscription(int version) {
        return Creation.subscription(name(), version);
    }

    /** How it stands, as of about a second ago. */
    public ViewStatus status() {
        return loop.status();
    }

    /** The subscriptions that run here: one for each version that is fed here, and that of the effects. */
    public List<Subscription> subscriptions() {
        List<Subscription> all = new ArrayList<>(loop.subscriptions());
        if (effects != null) {
            all.add(effects);
        }
        return all;
    }

    /** Not for applications. */
    public ViewWiring wiring() {
        return new ViewWiring(loop);
    }

    /**
     * Makes another version live, the one that is live becoming {@link VersionState#PREVIOUS}. Waits until it has caught up
     * and readers are not in the way.
     *
     * @throws SubscriptionException if there is no such version, or it did not work in time: says why, and nothing has
     *     changed
     */
    public void switchTo(int version, Duration max) throws SQLException, InterruptedException {
        loop.commands().switchTo(version, max);
    }

    /** Makes the version live that was live before, as {@link #switchTo}. */
    public void switchBack(Duration max) throws SQLException, InterruptedException {
        loop.commands().switchBack(max);
    }

    /** Has no instance build a version any further, within about a second, until {@link #resume}. Not the live one. */
    public void pause(int version) throws SQLException {
        loop.commands().pause(version, true);
    }

    /** Goes on after {@link #pause}. */
    public void resume(int version) throws SQLException {
        loop.commands().pause(version, false);
    }

    /** Gives up a version that is being built, for all instances: its tables, positions and parked events are removed. */
    public void abort(int version) throws SQLException {
        loop.commands().remove(version, VersionState.BUILDING, VersionState.ABORTED);
    }

    /** Removes a version that was live, for all instances, with its tables; there is no going back to it then. */
    public void retire(int version) throws SQLException {
        loop.commands().remove(version, VersionState.PREVIOUS, VersionState.RETIRED);
    }

    /** Builds a version again that was aborted or retired. */
    public void rebuild(int version) throws SQLException {
        loop.commands().rebuild(version);
    }

    /** Stops feeding the versions here, as {@link Subscription#close}; other instances go on. */
    @Override
    public void close() {
        loop.close();
        if (effects != null) {
            effects.close();
        }
    }

    /** Describes a view. Not thread-safe. */
    public static final class Builder {
        private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,39}");

        private final String name;
        private final SortedMap<Integer, ViewVersion> versions = new TreeMap<>();
        private final Set<String> topics = new LinkedHashSet<>();
        private final List<Consumer<Subscription.Builder>> effects = new ArrayList<>();
        private Map<String, Object> kafka = Map.of();
        private @Nullable DataSource dataSource;
        private Limits limits = Limits.ofDefaults();
        private Timeouts timeouts = Timeouts.ofDefaults();
        private Consumer<Subscription.Builder> settings = subscription -> {};
        private boolean automatic = true;
        private long eventsPerSecondMax = Long.MAX_VALUE;
        private long liveLagMax = 1_000;

        private Builder(String name) {
            if (!NAME.matcher(name).matches() || name.equals("tributary") || name.startsWith("pg_")) {
                throw new SubscriptionException(
                        "'" + name + "' cannot name a view: it names a schema, so use at most 40"
                                + " small letters, digits and _, beginning with a letter");
            }
            this.name = name;
        }

        /** The view's name. */
        public String name() {
            return name;
        }

        /** Kafka's consumer settings, as {@link Subscription.Builder#kafka}. */
        public Builder kafka(Map<String, ?> consumerSettings) {
            kafka = Map.copyOf(consumerSettings);
            return this;
        }

        /**
         * The view's database, whose role may create schemas. Each partition of each version that is fed holds a
         * connection while it works.
         */
        public Builder dataSource(DataSource database) {
            dataSource = database;
            return this;
        }

        /** Adds topics that all versions read. */
        public Builder topics(String... names) {
            topics.addAll(List.of(names));
            return this;
        }

        /** Adds a version. Keep the live one as long as a higher one is being built, so that it is fed meanwhile. */
        public Builder version(ViewVersion version) {
            if (versions.putIfAbsent(version.number(), version) != null) {
                throw new SubscriptionException("view " + name + " has two versions " + version.number());
            }
            return this;
        }

        /**
         * Adds a handler of what must happen once whatever is rebuilt, such as publishing further events. Effects have a
         * subscription {@code <view>.effects} of their own, which no rebuild touches: an event's effect may come before
         * or after the event is in the view.
         */
        public <T> Builder effect(String type, Class<T> payload, EventHandler<T> handler) {
            return effects(subscription -> subscription.on(type, payload, handler));
        }

        /** Adds to the effects' subscription what {@link #effect} has no word for. */
        public Builder effects(Consumer<Subscription.Builder> more) {
            effects.add(more);
            return this;
        }

        /** How much is taken on at a time; {@link Limits#ofDefaults} by default. */
        public Builder limits(Limits bounds) {
            limits = bounds;
            return this;
        }

        /** {@link Timeouts#ofDefaults} by default. */
        public Builder timeouts(Timeouts durations) {
            timeouts = durations;
            return this;
        }

        /** What else all the view's subscriptions get, such as an object mapper. */
        public Builder settings(Consumer<Subscription.Builder> common) {
            settings = settings.andThen(common);
            return this;
        }

        /** Whether a version takes over by itself when it has caught up; so by default, else {@link View#switchTo}. */
        public Builder switchAutomatically(boolean byItself) {
            automatic = byItself;
            return this;
        }

        /** How many events per second each instance builds with at most; no limit by default. */
        public Builder buildEventsPerSecondMax(long events) {
            if (events < 1) {
                throw new SubscriptionException("buildEventsPerSecondMax must be at least 1, not " + events);
            }
            eventsPerSecondMax = events;
            return this;
        }

        /** Builds slower while the live version lacks more than so many events and falls back further; 1000 by default. */
        public Builder liveLagMax(long events) {
            if (events < 0) {
                throw new SubscriptionException("liveLagMax must not be negative, but is " + events);
            }
            liveLagMax = events;
            return this;
        }

        /**
         * Starts it in threads of its own. Kafka and the database may be away: it waits for them.
         *
         * @throws SubscriptionException if something is missing, or a setting would weaken the guarantees
         */
        public View start() {
            if (dataSource == null) {
                throw new SubscriptionException("view " + name + " has no dataSource(...)");
            }
            if (versions.isEmpty()) {
                throw new SubscriptionException("view " + name + " has no version(...)");
            }
            Surroundings surroundings = new Surroundings(kafka, dataSource, topics, limits, timeouts, settings);
            ViewLoop loop = new ViewLoop(
                    name, surroundings, versions, new ViewLoop.Options(automatic, eventsPerSecondMax, liveLagMax));
            Subscription subscription = effects.isEmpty() ? null : effects(surroundings);
            loop.start();
            return new View(loop, subscription);
        }

        private Subscription effects(Surroundings surroundings) {
            Subscription.Builder builder = surroundings.subscription(name + ".effects");
            effects.forEach(more -> more.accept(builder));
            return builder.start();
        }
    }
}

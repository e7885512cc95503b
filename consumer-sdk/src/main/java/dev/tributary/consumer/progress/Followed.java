package dev.tributary.consumer.progress;

import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.view.View;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What feeds the tables that readers see: a subscription, or that of whichever version of a view is live. Thread-safe. */
interface Followed {
    /** As errors, logs and {@code tributary.view_freshness} call it. */
    String name();

    /** The topics that it may read. */
    Set<String> topics();

    /** Kafka's settings. */
    Map<String, Object> kafka();

    DataSource dataSource();

    /** Kafka's id of a topic; null while that is not known here. */
    @Nullable
    String topicId(String topic);

    /** Has {@code listener} called whenever this instance has moved a position, by the thread that has. */
    void onCommit(Runnable listener);

    /** Those that this instance moves, as far as what readers see follows from them without a look into the database. */
    List<PartitionStatus> ownPartitions();

    /** Events that this instance has parked so far; what others have parked is found with their positions. */
    long parkedHere();

    /** An expression in SQL for the name of the subscription, with {@link #name} as its parameter. */
    String subscriptionSql();

    /** An expression in SQL for what the subscription of {@code tributary.subscription_position p} reads; null for all of it. */
    String topicsSql();

    /** For as long as it runs. */
    record OfSubscription(Subscription subscription) implements Followed {
        @Override
        public String name() {
            return subscription.name();
        }

        @Override
        public Set<String> topics() {
            return subscription.topics();
        }

        @Override
        public Map<String, Object> kafka() {
            return subscription.wiring().kafka();
        }

        @Override
        public DataSource dataSource() {
            return subscription.wiring().dataSource();
        }

        @Override
        public @Nullable String topicId(String topic) {
            return subscription.wiring().topicId(topic);
        }

        @Override
        public void onCommit(Runnable listener) {
            subscription.wiring().onCommit(listener);
        }

        @Override
        public List<PartitionStatus> ownPartitions() {
            return subscription.status().partitions();
        }

        @Override
        public long parkedHere() {
            return subscription.status().totals().parked();
        }

        @Override
        public String subscriptionSql() {
            return "?";
        }

        @Override
        public String topicsSql() {
            return "NULL::text[]";
        }
    }

    /** Which version is live is another instance's decision, perhaps, so only the database knows how far readers see. */
    record OfView(View view) implements Followed {
        @Override
        public String name() {
            return view.name();
        }

        @Override
        public Set<String> topics() {
            return view.wiring().topics();
        }

        @Override
        public Map<String, Object> kafka() {
            return view.wiring().kafka();
        }

        @Override
        public DataSource dataSource() {
            return view.wiring().dataSource();
        }

        @Override
        public @Nullable String topicId(String topic) {
            return view.subscriptions().stream()
                    .map(each -> each.wiring().topicId(topic))
                    .filter(Objects::nonNull)
                    .findAny()
                    .orElse(null);
        }

        @Override
        public void onCommit(Runnable listener) {
            view.wiring().onCommit(listener);
        }

        @Override
        public List<PartitionStatus> ownPartitions() {
            return List.of();
        }

        @Override
        public long parkedHere() {
            return view.subscriptions().stream()
                    .mapToLong(each -> each.status().totals().parked())
                    .sum();
        }

        @Override
        public String subscriptionSql() {
            return "(SELECT v.subscription FROM tributary.view_version v WHERE v.view = ? AND v.state = 'LIVE')";
        }

        @Override
        public String topicsSql() {
            return "(SELECT v.topics FROM tributary.view_version v WHERE v.subscription = p.subscription)";
        }
    }
}

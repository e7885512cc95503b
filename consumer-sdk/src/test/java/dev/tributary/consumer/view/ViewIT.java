package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static dev.tributary.consumer.view.ViewBed.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.History;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.Timeouts;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxSchema;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ViewIT {
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;

    /** At 50 a second: nobody pauses it in time otherwise on a loaded machine. */
    private static final int BUILD_OF_HALF_A_MINUTE = 1_500;

    private final ViewBed bed = new ViewBed(2);

    @AfterEach
    void close() {
        bed.close();
    }

    private long built() {
        return bed.database.number("SELECT count(*) FROM " + bed.name + "_v2.applied");
    }

    private List<String> leftovers(int version) {
        return bed.database.strings("SELECT subscription FROM tributary.subscription_position WHERE subscription = '"
                + bed.name + ".v" + version + "' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = '"
                + bed.name
                + "_v" + version + "'");
    }

    @Test
    void buildIsPausedResumedAbortedAndBegunAgainOverAllInstances() throws Exception {
        bed.send(BUILD_OF_HALF_A_MINUTE);
        View one = bed.start(bed.view(1));
        eventuallyLive(one, 1);
        bed.assertEqualsTheFold(bed.name);
        View two = bed.start(bed.view(1, 2).buildEventsPerSecondMax(50).limits(ViewBed.SMALL));
        View three = bed.start(bed.view(1, 2).buildEventsPerSecondMax(50).limits(ViewBed.SMALL));
        eventually(() -> assertThat(bed.state(2)).isEqualTo("BUILDING"));
        eventually(() -> assertThat(built()).isPositive());
        eventually(() -> {
            ViewStatus.Progress progress = version(one, 2).progress();
            assertThat(progress.total()).isEqualTo(BUILD_OF_HALF_A_MINUTE);
            assertThat(progress.done()).isBetween(1L, BUILD_OF_HALF_A_MINUTE - 1L);
            assertThat(progress.perSecond()).isPositive();
            assertThat(progress.timeLeft()).isPositive();
            assertThat(progress.partitions()).hasSize(2);
        });
        assertThatThrownBy(() -> one.pause(1)).hasMessageContaining("version 1 is LIVE, cannot be paused");
        one.pause(2);
        eventually(
                () -> assertThat(version(two, 2).paused() && version(three, 2).paused())
                        .isTrue());
        long atPause = built();
        bed.send(20);
        bed.assertEqualsTheFold(bed.name);
        assertThat(built()).isLessThanOrEqualTo(atPause + 2L * ViewBed.SMALL.batchEventsMax());
        assertThatThrownBy(() -> one.switchTo(2, Duration.ofMillis(1))).hasMessageContaining("is paused: resume it");
        // A restart does not forget it
        three.close();
        View four = bed.start(bed.view(1, 2));
        eventually(() -> assertThat(version(four, 2).paused()).isTrue());

        one.abort(2);
        assertThat(leftovers(2)).isEmpty();
        eventually(() -> assertThat(version(two, 2).state()).isEqualTo(VersionState.ABORTED));
        eventually(() -> assertThat(two.subscriptions()).hasSize(1));
        assertThat(leftovers(2)).isEmpty();
        assertThatThrownBy(() -> one.rebuild(2)).hasMessageContaining("this instance does not know version 2");
        four.rebuild(2);
        eventuallyLive(four, 2);
        bed.assertEqualsTheFold(bed.name);
        assertThatThrownBy(() -> four.abort(2)).hasMessageContaining("version 2 is LIVE");
        assertThatThrownBy(() -> four.retire(2)).hasMessageContaining("version 2 is LIVE");
        four.retire(1);
        assertThat(leftovers(1)).isEmpty();
        assertThatThrownBy(() -> four.switchBack(PATIENCE))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("no version to go back to");
        bed.send(10);
        bed.assertEqualsTheFold(bed.name);
    }

    @Test
    void abortThatHasWaitedForABatchSeesWhatItDidAboveReadCommitted() throws Exception {
        bed.send(20);
        bed.startLiveAlone();
        View view = bed.start(bed.view(1, 2).switchAutomatically(false));
        eventually(() -> assertThat(bed.built(2)).isEqualTo(20));
        bed.database.defaultIsolation("repeatable read");
        CompletableFuture<Void> aborted = new CompletableFuture<>();
        try (Connection batch =
                        DriverManager.getConnection(bed.database.url(), LocalPostgres.USER, LocalPostgres.PASSWORD);
                Statement statement = batch.createStatement()) {
            batch.setAutoCommit(false);
            statement.execute("UPDATE tributary.subscription_position SET next_offset = next_offset"
                    + " WHERE subscription = '" + bed.name + ".v2'");
            Thread aborting = new Thread(() -> {
                try {
                    view.abort(2);
                    aborted.complete(null);
                } catch (SQLException | RuntimeException e) {
                    aborted.completeExceptionally(e);
                }
            });
            aborting.start();
            eventually(() -> assertThat(
                            bed.database.number(
                                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                            + " AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM tributary.subscription_position%'"))
                    .isEqualTo(1));
            batch.commit();
        }
        aborted.get();
        assertThat(leftovers(2)).isEmpty();
        bed.assertEqualsTheFold(bed.name);
    }

    @Test
    void effectsHappenOnceWhateverIsRebuilt() throws Exception {
        try (Connection connection = bed.database.dataSource().getConnection()) {
            OutboxSchema.apply(connection);
        }
        Outbox outbox =
                Outbox.of(EventTypes.builder().register("seen", 1, Added.class).build());
        View.Builder builder = bed.view(1, 2)
                .effect(
                        Added.TYPE,
                        Added.class,
                        (event, connection) -> outbox.publish(
                                connection, NewEvent.of("account", event.aggregateId(), event.payload())));
        View view = bed.start(builder);
        bed.send(100);
        eventuallyLive(view, 2);
        view.rebuild(1);
        view.switchTo(1, PATIENCE);
        bed.assertEqualsTheFold(bed.name);
        eventually(() -> assertThat(bed.database.number("SELECT count(*) FROM tributary.outbox"))
                .isEqualTo(100));
        view.retire(2);
        view.rebuild(2);
        view.switchTo(2, PATIENCE);
        bed.send(10);
        bed.assertEqualsTheFold(bed.name);
        eventually(() -> assertThat(bed.database.number("SELECT count(*) FROM tributary.outbox"))
                .isEqualTo(110));
    }

    @Test
    void historyThatIsGoneIsNamedAndTheRestTakenOnPurpose() throws Exception {
        bed.send(100);
        View first = bed.start(bed.view(1));
        eventuallyLive(first, 1);
        bed.assertEqualsTheFold(bed.name);
        Instant later = Instant.now().plusMillis(1);
        eventually(() -> assertThat(Instant.now()).isAfter(later));
        bed.send(50);
        bed.topic.deleteRecordsBefore(5);
        View second = bed.start(bed.view(1, 2));
        eventually(() -> assertThat(version(second, 2).problems()).anySatisfy(problem -> assertThat(problem)
                .contains("version 2 needs offsets 0 to 4 of " + bed.topic.name()
                        + "-0, which are 5 records that Kafka has deleted")
                .contains("History.since(time)")));
        assertThat(first.status().liveVersion()).isEqualTo(1);
        second.abort(2);
        second.close();
        View third = bed.start(bed.view(1).version(Accounts.version(2).with(History.since(later))));
        third.rebuild(2);
        eventuallyLive(third, 2);
        bed.send(10);
        eventually(() -> assertThat(built()).isEqualTo(60));
        bed.assertEqualsTheFold(bed.name + "_v1");
    }

    /** Readers' names lead to nothing as long as none is live, and nothing can be switched. */
    @Test
    void versionThatIsRebuiltBeforeThereIsAnyIsLive() throws Exception {
        bed.send(10);
        Surroundings surroundings = new Surroundings(
                SubscriptionBed.kafkaSettings(bed.bed.kafka.bootstrapServers()),
                bed.database.dataSource(),
                Set.of(bed.topic.name()),
                Limits.ofDefaults(),
                Timeouts.ofDefaults(),
                subscription -> {});
        new Creation(bed.name, surroundings, new TreeMap<>(Map.of(1, Accounts.version(1))), new VersionStore(bed.name))
                .again(1);
        assertThat(bed.state(1)).isEqualTo("LIVE");
        eventuallyLive(bed.start(bed.view(1, 2)), 2);
        bed.assertEqualsTheFold(bed.name);
    }

    @Test
    void whatCannotWorkIsNamed() throws Exception {
        eventuallyLive(bed.start(bed.view(1)), 1);
        View view = bed.start(bed.view(1)
                .version(ViewVersion.of(2, "CREATE TABEL x ()", s -> s.on(Added.TYPE, Added.class, Accounts::apply))));
        bed.send(10);
        eventually(() -> assertThat(view.status().problem())
                .contains("the tables of version 2 cannot be created in schema " + bed.name + "_v2")
                .contains("TABEL"));
        eventuallyLive(view, 1);
        bed.assertEqualsTheFold(bed.name);
        View other = bed.start(bed.view()
                .version(ViewVersion.of(
                        1, "CREATE TABLE other ()", s -> s.on(Added.TYPE, Added.class, Accounts::apply))));
        eventually(() -> assertThat(version(other, 1).problems())
                .anySatisfy(problem -> assertThat(problem).contains("created by other SQL")));
        assertThat(other.subscriptions()).isEmpty();
        View newer = bed.start(bed.view(2));
        eventually(() -> assertThat(version(newer, 1).problems())
                .anySatisfy(problem -> assertThat(problem).contains("does not know version 1")));
        eventuallyLive(newer, 2);
        assertThatThrownBy(() -> bed.view().start()).hasMessageContaining("no version(...)");
        assertThatThrownBy(() -> View.builder("Customers")).hasMessageContaining("cannot name a view");
        assertThatThrownBy(() -> bed.view()
                        .version(ViewVersion.of(1, "CREATE TABLE t ()", s -> {}))
                        .start())
                .hasMessageContaining("has no handlers");
    }

    /** Readers would lack what the new handlers could not apply. */
    @Test
    void parkedEventsKeepAVersionFromTakingOverByItself() throws Exception {
        bed.send(10);
        eventuallyLive(bed.start(bed.view(1)), 1);
        bed.assertEqualsTheFold(bed.name);
        View view = bed.start(bed.view(1).version(Accounts.version(2, (event, connection) -> {
            if (event.payload().amount() == 7) {
                // So that it happens while a switch has begun
                LockSupport.parkNanos(Duration.ofMillis(300).toNanos());
                throw new IllegalArgumentException("seven");
            }
            Accounts.apply(event, connection);
        })));
        eventually(() -> assertThat(version(view, 2).problems())
                .anySatisfy(problem -> assertThat(problem).contains("1 events are parked, which readers would lack")));
        assertThat(view.status().liveVersion()).isEqualTo(1);
        view.switchTo(2, PATIENCE);
        assertThat(built()).isEqualTo(9);
        view.switchBack(PATIENCE);
        bed.assertEqualsTheFold(bed.name);
    }
}

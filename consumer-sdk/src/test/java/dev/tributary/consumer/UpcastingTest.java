package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.SubscriptionBed.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.outbox.schema.Upcasters;
import dev.tributary.outbox.schema.Upcasters.Part;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UpcastingTest {
    private static final String V0 = "account.added.v0";
    private static final String OLDEST = "money.put.v1";
    private static final String BOTH = "money.moved.v1";

    /** Cents were euros, and the whole was called otherwise before; a transfer was one event of the one that it is from. */
    private static final Upcasters UPCASTERS = Upcasters.builder()
            .rename(OLDEST, V0)
            .upcast(V0, EurosAdded.class, Added.TYPE, old -> new Added(old.euros() * 100))
            .split(
                    BOTH,
                    ObjectNode.class,
                    Set.of(Added.TYPE, "account.noted.v1"),
                    moved -> List.of(
                            new Part(Added.TYPE, new Added(-moved.get("amount").asLong())),
                            new Part("account.noted.v1", moved),
                            new Part(Added.TYPE, new Added(moved.get("fee").asLong()))))
            .build();

    record EurosAdded(long euros) {}

    private final SubscriptionBed bed = new SubscriptionBed();
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;

    @AfterEach
    void close() {
        bed.close();
    }

    @Test
    void severalVersionsInOneTopicReachOneHandlerInOrder() {
        view.execute("CREATE TABLE seen (n bigint GENERATED ALWAYS AS IDENTITY, types text)");
        Subscription subscription =
                bed.start(bed.bare().upcasters(UPCASTERS).on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    try (var insert = connection.prepareStatement("INSERT INTO seen (types) VALUES (?)")) {
                        insert.setString(1, event.originalType() + ">" + event.type());
                        insert.executeUpdate();
                    }
                }));
        topic.send(
                topic.event("sales", "a", OLDEST, "{\"euros\":1}"),
                topic.event("sales", "a", V0, "{\"euros\":2,\"more\":1}"),
                topic.added("a", 5),
                topic.event("sales", "a", "account.noted.v1", "{}"));
        eventually(() -> assertThat(subscription.status().totals())
                .returns(3L, SubscriptionStatus.Counters::applied)
                .returns(1L, SubscriptionStatus.Counters::skipped));
        assertThat(view.totals()).isEqualTo(Map.of("a", 305L));
        assertThat(view.sequences()).isEqualTo(Map.of("a", List.of(1L, 2L, 3L)));
        assertThat(view.strings("SELECT types FROM seen ORDER BY n"))
                .containsExactly(OLDEST + ">" + Added.TYPE, V0 + ">" + Added.TYPE, Added.TYPE + ">" + Added.TYPE);
    }

    @Test
    void splitEventIsAppliedWhollyOrParkedWhollyAsItWasWritten() {
        Subscription subscription =
                bed.start(bed.bare().upcasters(UPCASTERS).on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    if (event.payload().amount() == 13) {
                        throw new IllegalArgumentException("unlucky fee");
                    }
                }));
        var good = topic.event("sales", "a", BOTH, "{\"amount\":100,\"fee\":1}");
        var bad = topic.event("sales", "b", BOTH, "{\"amount\":100,\"fee\":13}");
        topic.send(good, bad, good, topic.added("c", 1));
        eventually(() -> assertThat(subscription.status().totals())
                .returns(2L, SubscriptionStatus.Counters::applied)
                .returns(1L, SubscriptionStatus.Counters::duplicates)
                .returns(1L, SubscriptionStatus.Counters::parked));
        assertThat(view.totals()).isEqualTo(Map.of("a", -99L, "c", 1L));
        assertThat(view.strings("SELECT event_id FROM applied WHERE aggregate_id = 'a' ORDER BY n"))
                .containsExactly(TestTopic.id(good) + "#1", TestTopic.id(good) + "#3");
        assertThat(view.sequences()).containsEntry("a", List.of(1L, 1L));
        assertThat(view.strings("SELECT event_id || ' ' || type || ' ' || convert_from(record_value, 'UTF8')"
                        + " FROM tributary.parked_event"))
                .containsExactly(TestTopic.id(bad) + " " + BOTH + " {\"amount\":100,\"fee\":13}");
    }

    @Test
    void whatCannotBeUpcastIsParkedWithThePath() {
        Subscription subscription = bed.start(bed.accounts().upcasters(UPCASTERS));
        topic.send(
                topic.event("sales", "a", V0, "{\"cents\":2}"),
                topic.event("sales", "b", Added.TYPE, "{}"),
                topic.event("sales", "c", BOTH, "[]"),
                topic.added("d", 1));
        bed.eventuallyApplied(1);
        eventually(() -> assertThat(subscription.status().totals().parked()).isEqualTo(3));
        assertThat(view.strings("SELECT error FROM tributary.parked_event ORDER BY park_order"))
                .satisfiesExactly(
                        error -> assertThat(error).endsWith(V0 + ": euros is missing"),
                        error -> assertThat(error).endsWith(Added.TYPE + ": amount is missing"),
                        error -> assertThat(error).contains(BOTH + ": Cannot deserialize"));
    }

    /** Skipping it would leave the view wrong without a word. */
    @Test
    void versionWithoutAHandlerStopsThePartitionUntilItIsDeployed() {
        Subscription old = bed.start();
        topic.send(
                topic.added("a", 1),
                topic.event("sales", "x", "account.closed.v1", "{}"),
                topic.event("sales", "a", "account.added.v2", "{\"cents\":2}"),
                topic.added("a", 4));
        eventually(() -> assertThat(partition(old).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(old).reason()).contains("no handler for type account.added.v2", "offset 2");
        assertThat(view.totals()).isEqualTo(Map.of("a", 1L));
        old.close();

        bed.start(bed.bare()
                .upcasters(Upcasters.builder()
                        .upcast(Added.TYPE, "account.added.v2", tree -> {
                            tree.set("cents", tree.remove("amount"));
                            return tree;
                        })
                        .build())
                .on(
                        "account.added.v2",
                        JsonNode.class,
                        (event, connection) -> ViewDatabase.apply(
                                event.become(
                                        event.id(),
                                        event.type(),
                                        new Added(event.payload().get("cents").asLong())),
                                connection)));
        bed.eventuallyApplied(3);
        assertThat(view.totals()).isEqualTo(Map.of("a", 7L));
    }

    @Test
    void unknownTypesCountAfterUpcasting() {
        Subscription refusing = bed.start(bed.accounts().upcasters(UPCASTERS).onUnknownType(UnknownType.REFUSE));
        topic.send(
                topic.event("sales", "a", OLDEST, "{\"euros\":1}"),
                topic.event("sales", "a", BOTH, "{\"amount\":1,\"fee\":0}"));
        eventually(() -> assertThat(partition(refusing).state()).isEqualTo(PartitionStatus.State.STOPPED));
        assertThat(partition(refusing).reason())
                .contains("no handler for type account.noted.v1, made by upcasters of " + BOTH);
        assertThat(view.totals()).isEqualTo(Map.of("a", 100L));
    }

    @Test
    void handlersAndUpcastersThatContradictEachOtherAreRefusedAtStart() {
        Upcasters ahead =
                Upcasters.builder().rename(Added.TYPE, "account.added.v2").build();
        assertThatThrownBy(() -> bed.accounts().upcasters(ahead).start())
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("handler of " + Added.TYPE + " would never be called")
                .hasMessageContaining("account.added.v2");
        assertThatThrownBy(() -> bed.bare()
                        .upcasters(ahead)
                        .on("account.added.v4", Added.class, (event, connection) -> {})
                        .start())
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("add an upcaster from account.added.v2");
    }
}

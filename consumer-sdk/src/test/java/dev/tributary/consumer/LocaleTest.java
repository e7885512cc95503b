package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class LocaleTest {
    private static final long BAD = 666;

    /** Names and ids are found again, though aa comes before b in English and behind z in Danish. */
    @Test
    void eventsTakeEffectOnceThoughTheDatabaseSortsInAnotherWay() throws SQLException {
        LocalPostgres postgres = LocalPostgres.shared();
        assumeTrue(postgres.version() >= 15, "no databases in ICU's order before PostgreSQL 15");
        AtomicLong refused = new AtomicLong(BAD);
        String anyone = "-" + UUID.randomUUID();
        try (SubscriptionBed bed =
                new SubscriptionBed(ViewDatabase.inLocale(postgres, "en-US"), LocalKafka.shared(), 1)) {
            TestTopic topic = bed.topic;
            ProducerRecord<byte[], byte[]> first = topic.added("Z", 1);
            topic.send(first, topic.added("aa", 1), topic.added("b", 1), topic.added("aa", BAD), topic.added("b", BAD));
            List<Subscription> before = startBoth(bed, anyone, refused);
            eventually(() -> assertThat(parked(bed)).isEqualTo(4));
            bed.eventuallyApplied(6);
            before.forEach(Subscription::close);

            postgres.changeLocale(bed.view.url(), "da");
            assertThat(bed.view.strings("SELECT 'aa' < 'b'")).containsExactly("f");
            List<Subscription> after = startBoth(bed, anyone, refused);
            topic.send(first, topic.added("aa", 1), topic.added("Z", 1), topic.added("b", 1));
            eventually(() -> assertThat(parked(bed)).isEqualTo(8));
            bed.eventuallyApplied(8);

            refused.set(-1);
            for (Subscription subscription : after) {
                assertThat(subscription.parkedEvents().redriveAll().failed()).isEmpty();
            }
            topic.send(topic.added("aa", 1), topic.added("b", 1));
            bed.eventuallyApplied(20);
            assertThat(parked(bed)).isZero();
            assertThat(bed.view.totals()).isEqualTo(Map.of("aa", 2 * (BAD + 3), "b", 2 * (BAD + 3), "Z", 4L));
            for (String subscription : List.of("aa", "b")) {
                assertThat(bed.view.strings("SELECT aggregate_id || sequence FROM applied WHERE source = '"
                                + subscription + anyone + "' ORDER BY aggregate_id COLLATE \"C\", n"))
                        .containsExactly("Z1", "Z2", "aa1", "aa2", "aa3", "aa4", "b1", "b2", "b3", "b4");
            }
            assertThat(bed.view.number("SELECT count(*) FROM tributary.subscription_position"))
                    .isEqualTo(2);
        }
    }

    /** Their effects say whose they are. */
    private static List<Subscription> startBoth(SubscriptionBed bed, String anyone, AtomicLong refused) {
        return List.of("b" + anyone, "aa" + anyone).stream()
                .map(name -> bed.start(bed.bare(name).on(Added.TYPE, Added.class, (event, connection) -> {
                    ViewDatabase.apply(event, connection);
                    try (var owner = connection.prepareStatement(
                            "UPDATE applied SET source = ? WHERE source = 'sales' AND event_id = ?")) {
                        owner.setString(1, name);
                        owner.setString(2, event.id());
                        owner.executeUpdate();
                    }
                    if (event.payload().amount() == refused.get()) {
                        throw new IllegalArgumentException("cannot add " + BAD);
                    }
                })))
                .toList();
    }

    private static long parked(SubscriptionBed bed) {
        return bed.view.number("SELECT count(*) FROM tributary.parked_event");
    }
}

package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.ViewDatabase;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The database is put back to what it was before versions were switched, removed or known, under running instances. */
class RestoredViewIT {
    private static final Duration PATIENCE = SubscriptionBed.PATIENCE;

    private final ViewBed bed = new ViewBed(2);
    private volatile boolean refusing = true;

    @AfterEach
    void close() {
        bed.close();
    }

    private View.Builder withTwo() {
        return bed.view(1).version(Accounts.version(2, (event, connection) -> {
            Accounts.apply(event, connection);
            if (refusing && event.payload().amount() == 99) {
                throw new IllegalArgumentException("refused");
            }
        }));
    }

    @Test
    void switchesAgainByItselfAfterABackupFromBeforeTheSwitch() throws Exception {
        bed.send(100);
        View one = bed.start(bed.view(1));
        eventuallyLive(one, 1);
        View two = bed.start(withTwo());
        eventually(() -> assertThat(parked(two, 2)).isEqualTo(1));
        bed.assertEqualsTheFold(bed.name);
        try (ViewDatabase.Backup backup = bed.database.backup()) {
            bed.send(50);
            eventually(() -> assertThat(parked(two, 2)).isGreaterThan(1));
            refusing = false;
            redrive(two, 2);
            eventuallyLive(two, 2);
            bed.assertEqualsTheFold(bed.name);
            two.retire(1);
            bed.send(50);

            backup.putBack();
            eventually(() -> assertThat(bed.state(1)).isEqualTo("LIVE"));
            bed.assertEqualsTheFold(bed.name);
            assertThat(bed.state(2)).isEqualTo("BUILDING");
            redrive(two, 2);
            eventuallyLive(two, 2);
            eventuallyLive(one, 2);
            bed.send(10);
            bed.assertEqualsTheFold(bed.name);
            bed.assertEqualsTheFold(bed.name + "_v1");
            bed.assertEqualsTheFold(bed.name + "_v2");
            two.switchBack(PATIENCE);
            assertThat(bed.state(1)).isEqualTo("LIVE");
        }
    }

    @Test
    void versionsThatTheBackupDoesNotKnowAreBuiltAnewAndRetiredOnesAreFedAgain() throws Exception {
        bed.send(100);
        View view = bed.start(bed.view(1).buildEventsPerSecondMax(Long.MAX_VALUE));
        eventuallyLive(view, 1);
        bed.assertEqualsTheFold(bed.name);
        try (ViewDatabase.Backup backup = bed.database.backup()) {
            View newer = bed.start(bed.view(1, 2));
            eventuallyLive(newer, 2);
            newer.retire(1);
            bed.send(30);
            backup.putBack();
            eventually(() -> assertThat(bed.state(1) + bed.state(2)).isEqualTo("PREVIOUSLIVE"));
            bed.assertEqualsTheFold(bed.name);
            bed.assertEqualsTheFold(bed.name + "_v1");
        }
    }

    private Subscription subscription(View view, int version) {
        return view.subscriptions().stream()
                .filter(each -> each.name().equals(bed.name + ".v" + version))
                .findAny()
                .orElseThrow(() -> new AssertionError("version " + version + " is not fed"));
    }

    private long parked(View view, int version) throws SQLException {
        return subscription(view, version).parkedEvents().count().events();
    }

    private void redrive(View view, int version) throws SQLException {
        assertThat(subscription(view, version).parkedEvents().redriveAll().failed())
                .isEmpty();
    }
}

package dev.tributary.relay.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark;
import dev.tributary.outbox.wire.ProgressMark.History;
import dev.tributary.relay.history.Lineage.Relation;
import dev.tributary.relay.source.SourceDatabase.Server;
import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LineageTest {
    private static final Server SERVER = new Server("77", 2, 1_000, 500);

    @Test
    void withoutAMarkNothingCanBeCompared() throws SQLException {
        Lineage lineage = Lineage.of(null, SERVER, timeline -> null);
        assertThat(lineage.relation()).isEqualTo(Relation.UNKNOWN);
        assertThat(lineage.isUnbroken()).isTrue();
        assertThat(lineage.isNews()).isTrue();
        assertThat(lineage.markedLsn()).isNull();
    }

    @Test
    void theSameClusterFurtherOnIsFine() throws SQLException {
        Lineage lineage = lineage(1_000, new History("77", 2, 500), null);
        assertThat(lineage.relation()).isEqualTo(Relation.SAME);
        assertThat(lineage.isNews()).isFalse();
        assertThat(lineage.xidHorizon()).isEqualTo(500);
        assertThat(lineage.lacks(new Position(1, 999, 0))).isFalse();
        assertThat(lineage.lacks(new Position(1, 1_000, 0))).isTrue();
    }

    @Test
    void aMarkOfAnOlderRelaySaysOnlyItsLsn() throws SQLException {
        assertThat(lineage(900, null, null).relation()).isEqualTo(Relation.UNKNOWN);
        assertThat(lineage(900, null, null).isNews()).isTrue();
        assertThat(lineage(1_001, null, null).relation()).isEqualTo(Relation.BEHIND);
    }

    @Test
    void aServerThatKnowsLessThanKafkaHasGoneBack() throws SQLException {
        Lineage byWal = lineage(1_001, new History("77", 2, 400), null);
        assertThat(byWal.relation()).isEqualTo(Relation.BEHIND);
        assertThat(byWal.difference()).contains("gone back").contains("0/3E9");
        assertThat(byWal.xidHorizon()).isZero();
        assertThat(lineage(900, new History("77", 2, 501), null).relation()).isEqualTo(Relation.BEHIND);
    }

    @Test
    void aFailoverBehindEverythingInKafkaIsFine() throws SQLException {
        Lineage lineage = lineage(900, new History("77", 1, 400), 950L);
        assertThat(lineage.relation()).isEqualTo(Relation.PROMOTED);
        assertThat(lineage.isNews()).isTrue();
        assertThat(lineage.markedLsn()).isEqualTo(900);
        assertThat(lineage.xidHorizon()).isEqualTo(400);
        assertThat(lineage.lacks(new Position(1, 949, 0))).isFalse();
        assertThat(lineage.lacks(new Position(1, 950, 0))).isTrue();
    }

    @Test
    void whatAnOldPrimaryMarkedBehindTheSwitchCountsOnlyUpToIt() throws SQLException {
        Lineage lineage = lineage(980, new History("77", 1, 400), 950L);
        assertThat(lineage.isUnbroken()).isTrue();
        assertThat(lineage.markedLsn()).isEqualTo(950);
        assertThat(lineage.xidHorizon()).as("ids may have been given again").isZero();
    }

    @Test
    void aTimelineThatIsNoDescendantIsAnotherHistory() throws SQLException {
        assertThat(lineage(900, new History("77", 1, 400), null).relation()).isEqualTo(Relation.DIVERGED);
        assertThat(lineage(900, new History("77", 3, 400), 950L).relation()).isEqualTo(Relation.DIVERGED);
    }

    @Test
    void anotherClusterIsNamed() throws SQLException {
        Lineage lineage = lineage(900, new History("78", 2, 400), null);
        assertThat(lineage.relation()).isEqualTo(Relation.FOREIGN);
        assertThat(lineage.difference()).contains("77").contains("78");
        assertThat(lineage.isUnbroken()).isFalse();
    }

    private static Lineage lineage(long markLsn, @Nullable History history, @Nullable Long left) throws SQLException {
        ProgressMark mark = new ProgressMark("sales", 1, markLsn, 7, Map.of(), history);
        return Lineage.of(mark, SERVER, timeline -> left);
    }
}

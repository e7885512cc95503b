package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a snapshot's text says of rows, worked out by PostgreSQL for made-up transaction ids. */
class HistorySnapshotTest {
    private static final long EPOCH = 1L << 32;
    private static final Instant TAKEN = Instant.parse("2026-11-21T12:00:00Z");

    private static String url;
    private static Connection connection;

    @BeforeAll
    static void connect() {
        url = LocalPostgres.shared().createDatabase("xids");
        connection = LocalPostgres.shared().connect(url);
    }

    @AfterAll
    static void disconnect() throws SQLException {
        connection.close();
        LocalPostgres.shared().dropDatabase(url);
    }

    /** Whether a row of that transaction, written at that time, was not there yet. */
    private static boolean isLater(String text, long nextXid, long xid, Instant at) throws SQLException {
        String sql = new HistorySnapshot(0, text, TAKEN)
                .isLaterSql(nextXid)
                .replace("xmin::text", "'" + (xid % EPOCH) + "'")
                .replace("occurred_at", "timestamptz '" + at + "'");
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT " + sql)) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private static boolean isLater(String text, long nextXid, long xid) throws SQLException {
        return isLater(text, nextXid, xid, TAKEN);
    }

    @Test
    void whatWasRunningOrHadNotBegunIsLater() throws SQLException {
        for (long shift : List.of(0L, EPOCH - 1_010, 7 * EPOCH - 1_010)) { // wrapping round between its ids
            String text = (1_000 + shift) + ":" + (1_020 + shift) + ":" + (1_000 + shift) + "," + (1_007 + shift) + ","
                    + (1_013 + shift);
            long next = 1_030 + shift;
            for (long xid : List.of(1_000L, 1_007L, 1_013L, 1_020L, 1_021L, 1_029L)) {
                assertThat(isLater(text, next, xid + shift))
                        .as(xid + " + " + shift)
                        .isEqualTo((xid + shift) % EPOCH > 2);
            }
            for (long xid : List.of(500L, 999L, 1_001L, 1_006L, 1_008L, 1_012L, 1_014L, 1_019L)) {
                assertThat(isLater(text, next, xid + shift))
                        .as(xid + " + " + shift)
                        .isFalse();
            }
            assertThat(isLater(text, next, 2)).as("frozen long ago").isFalse();
        }
        assertThat(isLater("1000:1000:", 1_001, 1_000)).isTrue();
        assertThat(isLater("1000:1000:", 1_000, 999)).isFalse();
    }

    @Test
    void aRowThatIsBillionsOfTransactionsOldIsNotTakenForANewOne() throws SQLException {
        long next = EPOCH + 5_000;
        String text = (EPOCH + 1_000) + ":" + (EPOCH + 1_000) + ":";
        assertThat(isLater(text, next, 2_000, TAKEN.minusSeconds(86_400))).isTrue();
        assertThat(isLater(text, next, 2_000, TAKEN.minusSeconds(30 * 86_400))).isFalse();
    }

    @Test
    void afterTooManyTransactionsRowsDoNotTell() {
        HistorySnapshot snapshot = new HistorySnapshot(0, "1000:1020:1000", TAKEN);
        assertThat(snapshot.isLegible(1_020)).isTrue();
        assertThat(snapshot.isLegible(1_000 + EPOCH / 2 - 1)).isTrue();
        assertThat(snapshot.isLegible(1_000 + EPOCH / 2)).isFalse();
    }
}

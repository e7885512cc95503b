package dev.tributary.relay.source;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.PositionForm;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

class PgOutputSourceIT extends ChangeSourceContract {
    PgOutputSourceIT() {
        super(SourceConfig.Engine.PGOUTPUT, PositionForm.COMMIT_START);
    }

    @Override
    ChangeSource open(SourceConfig source, SourceDatabase.Server server, long confirmedLsn) throws SQLException {
        return new PgOutputSource(source, server, source.epoch(), confirmedLsn);
    }

    @Test
    void aColumnOfAnotherTypeStopsTheSource() throws SQLException {
        try (ChangeSource source = open()) {
            database.execute(
                    "DROP VIEW tributary.outbox_readable",
                    "ALTER TABLE tributary.outbox ALTER COLUMN aggregate_id TYPE bigint USING 1",
                    "INSERT INTO tributary.outbox VALUES (gen_random_uuid(), 'order', 1, NULL, 'a.v1', 'x', 'p', NULL, now())");
            assertStopped(source, "aggregate_id");
        }
    }
}

package dev.tributary.relay.source.debezium;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.ChangeSource;
import dev.tributary.relay.source.ForeignChange;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.SourceDatabase.Server;
import io.debezium.engine.RecordChangeEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;

/**
 * Reads through Debezium Embedded. It starts where the slot stands, and stores no offsets: what is confirmed to the
 * server is what the relay says, as with the other engine. Used by one thread.
 */
public final class DebeziumSource implements ChangeSource {
    private static final Duration START_MAX = Duration.ofSeconds(60);
    private static final Duration START_LOOK = Duration.ofMillis(50);

    private final SourceConfig source;
    private final PostgresDatabase database;
    private final RunningEngine engine;
    private final Echo echo;
    private final OutboxRows rows;
    private final OpenTransaction transaction;
    private final Deque<RecordChangeEvent<SourceRecord>> batch = new ArrayDeque<>();
    private long reached;

    /**
     * Takes the source's slot and starts streaming behind {@code confirmedLsn}; returns when it streams.
     *
     * @param server the server that the slot was seen on
     * @param epoch of the positions that events get
     * @throws RelayException if this is another server
     * @throws RelayException.SlotBusy if another reader holds the slot
     * @throws RelayException.SlotLost if there is no such slot
     * @throws SQLException if the database cannot be reached or refuses
     */
    public DebeziumSource(SourceConfig source, Server server, int epoch, long confirmedLsn) throws SQLException {
        this.source = source;
        this.reached = confirmedLsn;
        this.rows = new OutboxRows(source.layout());
        this.transaction = new OpenTransaction(source, epoch);
        this.database = new PostgresDatabase(source);
        RunningEngine starting = null;
        try {
            database.slotConfirmedLsn(); // Debezium would make a slot that is missing
            if (database.slotInUse()) {
                throw Failures.busy(source, null); // starting Debezium takes a second; a standby looks as often
            }
            echo = new Echo(database.connection());
            starting = new RunningEngine(source, confirmedLsn);
            engine = starting;
            awaitStreaming(server, confirmedLsn);
        } catch (SQLException | RuntimeException e) {
            if (starting != null) {
                starting.close();
            }
            database.close();
            throw e;
        }
    }

    private void awaitStreaming(Server seen, long confirmedLsn) throws SQLException {
        long start = System.nanoTime();
        while (!receive(START_LOOK)) {
            failIfEnded();
            if (System.nanoTime() - start > START_MAX.toNanos()
                    || Thread.currentThread().isInterrupted()) {
                throw new RelayException("Debezium does not stream after " + START_MAX, "the log may say why", null);
            }
        }
        Server now = database.server();
        if (!now.systemId().equals(seen.systemId())
                || now.timeline() != seen.timeline()
                || database.slotConfirmedLsn() != confirmedLsn) {
            throw new RelayException(
                    "the server changed, or slot " + source.slot() + " moved, while Debezium started",
                    "none; the relay looks again",
                    null);
        }
    }

    @Override
    public boolean poll(ChangeListener listener) throws SQLException {
        if (transaction.handOver(listener)) {
            return true;
        }
        if (batch.isEmpty() && !receive(Duration.ZERO)) {
            failIfEnded();
            echo.call(reached);
            return false;
        }
        take(batch.removeFirst().record());
        return true;
    }

    /** False if there is no batch. */
    private boolean receive(Duration atMost) {
        List<RecordChangeEvent<SourceRecord>> next = engine.next(atMost);
        if (next != null) {
            batch.addAll(next);
        }
        return next != null;
    }

    private void failIfEnded() throws SQLException {
        if (engine.hasEnded()) {
            throw Failures.of(source, engine.failure());
        }
    }

    private void take(SourceRecord record) {
        if (!(record.value() instanceof Struct value)) {
            return;
        }
        if (value.schema().field("status") != null) {
            echo.heard();
            transactionRecord(value.getString("status"), record);
        } else if (value.schema().field("message") != null) {
            echo.heard(text(value.getStruct("message").get("content")));
        } else if (value.schema().field("op") != null) {
            echo.heard();
            change(value);
        } // and nothing else but Debezium's heartbeats, which say nothing of the server
    }

    private void transactionRecord(String status, SourceRecord record) {
        if (status.equals("BEGIN")) {
            transaction.begin();
            return;
        }
        long endLsn = offset(record, "lsn_commit");
        reached = Math.max(reached, endLsn);
        transaction.end(endLsn, time(offset(record, "ts_usec")));
    }

    private static Instant time(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    private static long offset(SourceRecord record, String key) {
        return record.sourceOffset().get(key) instanceof Number number ? number.longValue() : 0;
    }

    private void change(Struct value) {
        String operation = value.getString("op");
        Struct origin = value.getStruct("source");
        String table = origin.getString("schema") + "." + origin.getString("table");
        switch (operation) {
            case "c" -> transaction.add(rows.event(table, value.getStruct("after"), time(origin.getInt64("ts_us"))));
            case "u" -> ForeignChange.refuse(source, "UPDATE", table, origin.getInt64("txId"));
            case "t" -> ForeignChange.refuse(source, "TRUNCATE", table, origin.getInt64("txId"));
            default -> {} // retention deletes rows
        }
    }

    private static String text(@Nullable Object content) {
        return content instanceof ByteBuffer buffer
                ? StandardCharsets.UTF_8.decode(buffer.duplicate()).toString()
                : "";
    }

    @Override
    public void await(Duration atMost) {
        if (batch.isEmpty() && !transaction.isUnderWay()) {
            receive(atMost);
        }
    }

    @Override
    public void confirm(long lsn) {
        engine.confirm(lsn);
    }

    @Override
    public long caughtUpTo() {
        return transaction.isUnderWay() || !batch.isEmpty() ? -1 : reached;
    }

    @Override
    public void close() {
        engine.close();
        try {
            database.close();
        } catch (SQLException e) {
            // It was gone already
        }
    }
}

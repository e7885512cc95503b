package dev.tributary.relay.recover;

import dev.tributary.outbox.wire.Position;
import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.sink.HeldEvents;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.sink.Topics;
import dev.tributary.relay.source.PostgresDatabase;
import dev.tributary.relay.source.RetainedEvents;
import dev.tributary.relay.source.RetainedEvents.Since;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.SetAside;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;

/** Finds events that have committed since a moment, and that the stream has not brought though it is past them. */
public final class Unrelayed {
    /** How far the clocks of a database and of a broker may lie apart, in topics that have the broker's time. */
    private static final Duration CLOCKS = Duration.ofSeconds(30);
    /** Of the heap, for ids: of rows, and of what Kafka holds. */
    private static final int HEAP_SHARE = 8;

    private static final int ID_BYTES = 256;

    private final SourceConfig source;
    private final Kafka kafka;
    private final Publication since;
    private final long rowsMax = Runtime.getRuntime().maxMemory() / HEAP_SHARE / ID_BYTES;

    /** Opens nothing yet. */
    public Unrelayed(SourceConfig source, Kafka kafka, Publication since) {
        this.source = source;
        this.kafka = kafka;
        this.since = since;
    }

    /**
     * The rows of transactions that had not ended by that moment.
     *
     * @param ids of some of them, if they are too many
     * @param walEnd they have committed below it
     */
    public record Rows(Set<UUID> ids, boolean tooMany, long walEnd) {}

    /** Reads the rows. */
    public Rows rows() throws SQLException {
        Instant from = Instant.ofEpochMilli(since.timeMillis());
        Set<UUID> ids = new LinkedHashSet<>();
        long[] count = new long[1];
        try (SourceDatabase database = new PostgresDatabase(source);
                RetainedEvents rows = new RetainedEvents(source, new Since(since.xidHorizon(), from, from), null)) {
            long walEnd = database.pulse().ended().walEnd();
            rows.keys(key -> {
                if (count[0]++ < rowsMax) {
                    ids.add(key.id());
                }
            });
            return new Rows(ids, count[0] > rowsMax, walEnd);
        }
    }

    /** Those that Kafka lacks. To be asked when all that has committed below {@link Rows#walEnd} is in Kafka. */
    public Set<UUID> lackedByKafka(Rows rows) throws SQLException {
        Set<UUID> lacked = new LinkedHashSet<>(rows.ids);
        lacked.removeAll(source.skip());
        try (SourceDatabase database = new PostgresDatabase(source)) {
            for (SetAside event : database.setAsideFrom(Position.START)) {
                lacked.remove(event.id());
            }
        }
        HeldEvents held = new HeldEvents(
                kafka, source.name(), Instant.ofEpochMilli(since.timeMillis()).minus(CLOCKS));
        try (Topics topics = kafka.topics(source.name())) {
            held.catchUp(topics.existing(source.topics()::matches));
        }
        lacked.removeIf(held::has);
        return lacked;
    }
}

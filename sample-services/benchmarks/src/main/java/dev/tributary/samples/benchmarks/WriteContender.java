package dev.tributary.samples.benchmarks;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import javax.sql.DataSource;

/** Who writes events. */
enum WriteContender {
    /** The transaction without any event. */
    BARE("no event", ""),
    /** What the others are compared with. */
    HAND("INSERT by hand", "SELECT count(*) FROM hand_outbox"),
    HAND_NUMBERED("INSERT by hand, with a counter", "SELECT count(*) FROM hand_outbox WHERE sequence > 1"),
    UNSEQUENCED("Tributary, unsequenced", "SELECT count(*) FROM tributary.outbox WHERE sequence IS NULL"),
    SEQUENCED("Tributary, sequenced", "SELECT count(*) FROM tributary.outbox WHERE sequence > 1"),
    EVENT_STORE("Tributary, event store", "SELECT count(*) FROM tributary.event_store WHERE sequence > 1"),
    /** Only for the hot aggregate: who knows what the aggregate is at has nothing to load. */
    AGGREGATES("Tributary, Aggregates.handle", "SELECT count(*) FROM tributary.event_store WHERE sequence > 1"),
    DEBEZIUM("Debezium's table", "SELECT count(*) FROM debezium_outbox"),
    DEBEZIUM_DELETED(
            "Debezium's table, deleted at once",
            "SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'debezium_outbox'"),
    EVENTUATE("Eventuate Tram", "SELECT count(*) FROM eventuate.message"),
    NAMASTACK("namastack", "SELECT count(*) FROM outbox_record"),
    /** Its release here keeps no order. */
    GRUELBOX("transaction-outbox, no order", "SELECT count(*) FROM txno_outbox");

    /** Those for whom it matters that all clients want the same aggregate, and what they are compared with. */
    static final Set<WriteContender> HOT = EnumSet.of(BARE, HAND, HAND_NUMBERED, UNSEQUENCED, SEQUENCED, AGGREGATES);

    private final String title;
    private final String countEvents;

    WriteContender(String title, String countEvents) {
        this.title = title;
        this.countEvents = countEvents;
    }

    String title() {
        return title;
    }

    boolean writesEvents() {
        return this != BARE;
    }

    /** SQL for how many events it has written since the tables were emptied. */
    String countEvents() {
        return countEvents;
    }

    /** Its name in JSON. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    EventWriter writer(DataSource pool, AggregateSequences sequences) {
        return switch (this) {
            case BARE -> HandWriter.withoutEvent(pool);
            case HAND -> HandWriter.plain(pool);
            case HAND_NUMBERED -> HandWriter.numbered(pool);
            case UNSEQUENCED -> TributaryWriter.unsequenced(pool);
            case SEQUENCED -> TributaryWriter.sequenced(pool);
            case EVENT_STORE -> TributaryWriter.eventStore(pool, sequences);
            case AGGREGATES -> TributaryWriter.aggregates(pool);
            case DEBEZIUM -> HandWriter.debezium(pool);
            case DEBEZIUM_DELETED -> HandWriter.debeziumDeleted(pool);
            case EVENTUATE -> new EventuateWriter(pool);
            case NAMASTACK -> new NamastackWriter(pool);
            case GRUELBOX -> new GruelboxWriter(pool);
        };
    }
}

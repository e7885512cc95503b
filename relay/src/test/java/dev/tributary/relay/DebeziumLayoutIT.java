package dev.tributary.relay;

import static dev.tributary.relay.TopicsUnderTest.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig.Engine;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.setup.Finding;
import dev.tributary.relay.setup.Preflight;
import dev.tributary.relay.setup.Preparation;
import dev.tributary.relay.setup.SetupException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A service that has written to an outbox of Debezium's layout, and changes nothing but the relay. */
class DebeziumLayoutIT {
    private static final String ID = "01890a5d-ac96-774b-bcce-b302099a8057";
    private SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        source = new SourceUnderTest(LocalPostgres.shared(), LocalKafka.shared());
        source.execute(
                "SELECT pg_drop_replication_slot('" + source.config.slot() + "')",
                "DROP PUBLICATION tributary",
                "DROP SCHEMA tributary CASCADE");
        source.config = source.config.withLayout(OutboxLayout.debezium("public.outbox"));
    }

    @AfterEach
    void close() throws SQLException {
        source.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"text", "json", "jsonb", "bytea", "varchar(100)"})
    void aServicesTableIsRelayed(String payloadType) throws Exception {
        createTable("uuid", payloadType);
        prepare();
        source.startRelay();
        source.execute("INSERT INTO outbox VALUES ('" + ID
                + "', 'Order', '42', 'OrderPlaced', '{\"größe\": 1}')"
                        .replace("größe", payloadType.equals("bytea") ? "groesse" : "größe"));
        ConsumerRecord<byte[], byte[]> record = awaitRecord();
        assertThat(record.topic()).isEqualTo(source.config.name() + ".Order");
        assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("42");
        assertThat(record.value())
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(payloadType.equals("bytea") ? "{\"groesse\": 1}" : "{\"größe\": 1}");
        assertThat(header(record, "ce_id")).isEqualTo(ID);
        assertThat(header(record, "ce_type")).isEqualTo("OrderPlaced");
        assertThat(header(record, "ce_subject")).isEqualTo("Order/42");
        assertThat(header(record, "ce_source")).isEqualTo("/" + source.config.name());
        assertThat(header(record, "content-type")).isEqualTo("application/json");
        assertThat(record.headers().lastHeader("ce_sequence")).isNull();
        assertThat(Instant.parse(header(record, "ce_time")).toEpochMilli()).isEqualTo(record.timestamp());
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void columnsOfOtherNamesAndTypesAndFurtherOnesAreRelayed(Engine engine) throws Exception {
        source.execute("CREATE SCHEMA \"Shop\"");
        source.execute("CREATE TABLE \"Shop\".\"Events\" (extra int, tenant text, \"n\" bigint, origin varchar(20),"
                + " at timestamp, body jsonb, kind text, agg text, id uuid PRIMARY KEY)");
        source.execute("ALTER DATABASE " + source.config.url().replaceAll(".*/", "") + " SET bytea_output = 'escape'");
        Map<EventColumn, String> columns = new EnumMap<>(EventColumn.class);
        columns.putAll(Map.of(
                EventColumn.ID, "id",
                EventColumn.AGGREGATE_TYPE, "agg",
                EventColumn.AGGREGATE_ID, "n",
                EventColumn.TYPE, "kind",
                EventColumn.PAYLOAD, "body",
                EventColumn.OCCURRED_AT, "at"));
        source.config = source.config
                .withEngine(engine)
                .withLayout(new OutboxLayout(
                        OutboxLayout.Kind.DEBEZIUM,
                        List.of("Shop.Events"),
                        columns,
                        Map.of("tenant", "tenant", "origin", "from"),
                        "application/vnd.shop+json"));
        prepare();
        source.startRelay();
        source.execute("INSERT INTO \"Shop\".\"Events\" VALUES (1, NULL, 77, 'web', '2026-01-02 03:04:05.678901', '{}',"
                + " 'Placed', 'Order', '" + ID + "')");
        ConsumerRecord<byte[], byte[]> record = awaitRecord();
        assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("77");
        assertThat(header(record, "ce_time")).isEqualTo("2026-01-02T03:04:05.678901Z");
        assertThat(header(record, "from")).isEqualTo("web");
        assertThat(record.headers().lastHeader("tenant")).isNull();
        assertThat(header(record, "content-type")).isEqualTo("application/vnd.shop+json");
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void rowsThatAreDeletedAtOnceAndARestartLoseAndDoubleNothing(Engine engine) throws Exception {
        source.config = source.config.withEngine(engine);
        createTable("varchar(36)", "text");
        prepare();
        Relay first = source.startRelay();
        write(1, 50);
        await().until(() -> source.topics.size() >= 20);
        first.close();
        write(51, 100);
        source.startRelay();
        await().until(() -> source.topics.size() >= 100);
        assertThat(source.topics.records())
                .extracting(record -> new String(record.value(), StandardCharsets.UTF_8))
                .doesNotHaveDuplicates()
                .hasSize(100);
    }

    @Test
    void aLostSlotIsNoMatterForRecoverWhichSaysWhatToDo() throws Exception {
        createTable("uuid", "text");
        prepare();
        Relay first = source.startRelay();
        write(1, 5);
        await().until(() -> source.topics.size() == 5);
        source.dropSlot();
        await().until(() -> first.status().state() == SourceState.SLOT_LOST);
        assertThatThrownBy(() -> RecoverProcess.run(source))
                .isInstanceOfSatisfying(RelayException.Stopped.class, e -> assertThat(e.reason() + e.remedy())
                        .contains("public.outbox", "init --leave-events", "tributary.progress."));
        first.close();
        source.topics.deleteMarks();
        prepare();
        source.startRelay();
        write(6, 10);
        await().until(() -> source.topics.size() == 10);
    }

    @ParameterizedTest
    @ValueSource(strings = {"no table", "another column"})
    void initAndCheckSayWhatIsMissing(String lack) throws Exception {
        if (!lack.equals("no table")) {
            source.execute(
                    "CREATE TABLE outbox (id uuid, aggregatetype text, aggregate_id text, type text, payload text)");
        }
        SetupException refusal = catchThrowableOfType(SetupException.class, () -> Preparation.of(source.config));
        String expected = lack.equals("no table") ? "public.outbox does not exist" : "[aggregateid]";
        assertThat(refusal).hasMessageContaining(expected);
        assertThat(Preflight.of(source.config, false))
                .filteredOn(Finding::isFailure)
                .extracting(Finding::message)
                .anyMatch(message -> message.contains(expected));
    }

    private void createTable(String idType, String payloadType) throws SQLException {
        source.execute("CREATE TABLE outbox (id " + idType + " PRIMARY KEY, aggregatetype varchar(255) NOT NULL,"
                + " aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload " + payloadType + ")");
    }

    /** As Debezium's users write: the row is gone before the transaction ends. */
    private void write(int from, int to) throws SQLException {
        for (int i = from; i <= to; i++) {
            source.execute("BEGIN; INSERT INTO outbox VALUES (gen_random_uuid(), 'Order', '" + i % 7 + "', 'Placed', '"
                    + i + "'); DELETE FROM outbox; COMMIT");
        }
    }

    private void prepare() {
        Preparation.of(source.config).run();
        assertThat(Preparation.of(source.config).titles()).isEmpty();
        assertThat(Preflight.of(source.config, false)).noneMatch(Finding::isFailure);
    }

    private ConsumerRecord<byte[], byte[]> awaitRecord() {
        await().until(() -> source.topics.size() == 1);
        return source.topics.records().get(0);
    }
}

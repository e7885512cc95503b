package dev.tributary.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PgOutputDecoderTest {
    private static final UUID ID = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    private static final String[] COLUMNS = {
        "id", "aggregate_type", "aggregate_id", "sequence", "type", "content_type", "payload", "headers", "occurred_at"
    };

    private static final Map<String, Integer> TYPES =
            Map.of("id", 2950, "sequence", 20, "payload", 17, "headers", 114, "occurred_at", 1184);
    private static final SourceConfig SOURCE = new SourceConfig(
            "sales", "jdbc:postgresql:sales", "relay", "", SourceConfig.Engine.PGOUTPUT, "${source}", 3);

    private PgOutputDecoder decoder = new PgOutputDecoder(SOURCE, SOURCE.epoch());
    private final List<OutboxEvent> events = new ArrayList<>();
    private final List<Long> commits = new ArrayList<>();
    private final ChangeListener listener = new ChangeListener() {
        @Override
        public void event(OutboxEvent event) {
            events.add(event);
        }

        @Override
        public void committed(long endLsn, Instant committedAt) {
            commits.add(endLsn);
        }
    };

    @Test
    void anEventHasItsCommitsLsnAndItsNumberWithinTheTransaction() {
        decode(begin(500), outbox(), binaryInsert(), binaryInsert());
        assertThat(decoder.inTransaction()).isTrue();
        decode(commit(500, 540));
        assertThat(decoder.inTransaction()).isFalse();
        assertThat(events)
                .extracting(OutboxEvent::position)
                .containsExactly(new Position(3, 500, 0), new Position(3, 500, 1));
        assertThat(commits).containsExactly(540L);
    }

    @Test
    void binaryAndTextColumnsGiveTheSameEvent() {
        decode(begin(500), outbox(), binaryInsert(), textInsert());
        assertThat(events).allSatisfy(event -> {
            assertThat(event.id()).isEqualTo(ID);
            assertThat(event.aggregateType()).isEqualTo("order");
            assertThat(event.aggregateId()).asString(StandardCharsets.UTF_8).isEqualTo("größe");
            assertThat(event.sequence()).isEqualTo(7);
            assertThat(event.payload()).containsExactly(1, 0, -1);
            assertThat(event.headers()).isNull();
            assertThat(event.occurredAt()).isEqualTo(Instant.parse("2000-01-01T00:00:01.000002Z"));
        });
        assertThat(events).hasSize(2);
    }

    @Test
    void columnsAreFoundByName() {
        decode(
                begin(1),
                relation(
                        7,
                        "outbox",
                        "shard",
                        "occurred_at",
                        "headers",
                        "payload",
                        "content_type",
                        "type",
                        "sequence",
                        "aggregate_id",
                        "aggregate_type",
                        "id"));
        Message row = new Message('I').i32(7).i8('N').i16(10);
        row.nul()
                .binary(new Message().i64(0))
                .nul()
                .binary(new byte[] {9})
                .text("application/json")
                .text("a.v1")
                .nul();
        row.text("1").text("order").text(ID.toString());
        decode(row);
        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.id()).isEqualTo(ID);
            assertThat(event.sequence()).isZero();
            assertThat(event.payload()).containsExactly(9);
        });
    }

    @Test
    void changesOfOtherTablesAreIgnoredAndTakeNoNumber() {
        decode(begin(1), relation(8, "unrelated", "a"), outbox());
        decode(new Message('I').i32(8).i8('N').i16(1).nul(), binaryInsert());
        assertThat(events).extracting(event -> event.position().ordinal()).containsExactly(0);
    }

    @Test
    void aDroppedColumnStopsTheSourceByName() {
        assertThatThrownBy(() -> decode(begin(1), relation(7, "outbox", "id", "payload")))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("tributary.outbox")
                .hasMessageContaining("aggregate_type");
    }

    @Test
    void updatesAndTruncatesOfEventTablesStopTheSource() {
        decode(begin(1), outbox());
        assertThatThrownBy(() -> decode(new Message('U').i32(7)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("UPDATE on tributary.outbox");
        assertThatThrownBy(() -> decode(new Message('T').i32(1).i8(0).i32(7)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("TRUNCATE on tributary.outbox");
        decode(new Message('D').i32(7));
    }

    @Test
    void aForeignChangeIsPassedOverOnceItsTransactionIsNamed() {
        decode(begin(1), outbox());
        String remedy = catchThrowableOfType(RelayException.Stopped.class, () -> decode(new Message('U').i32(7)))
                .remedy();
        Matcher id = Pattern.compile("name ([0-9a-f-]{36}) under relay.sources.sales.skip")
                .matcher(remedy);
        assertThat(id.find()).isTrue();

        decoder = new PgOutputDecoder(
                new SourceConfig(
                        "sales",
                        SOURCE.url(),
                        "relay",
                        "",
                        SOURCE.engine(),
                        "${source}",
                        3,
                        Set.of(UUID.fromString(id.group(1)))),
                3);
        decode(begin(1), outbox(), new Message('U').i32(7), binaryInsert());
        assertThat(events).hasSize(1);
        decode(commit(1, 9), begin(9));
        assertThatThrownBy(() -> decode(new Message('U').i32(7))).isInstanceOf(RelayException.Stopped.class);
    }

    @Test
    void aColumnOfAnotherTypeStopsTheSourceByName() {
        Message relation =
                new Message('R').i32(7).zero("tributary").zero("outbox").i8('d').i16(COLUMNS.length);
        for (String column : COLUMNS) {
            int type = column.equals("aggregate_id") ? 20 : TYPES.getOrDefault(column, 25);
            relation.i8(0).zero(column).i32(type).i32(-1);
        }
        assertThatThrownBy(() -> decode(begin(1), relation))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("aggregate_id")
                .hasMessageContaining("is no text");
    }

    @Test
    void aRowThatIsNoEventStopsTheSource() {
        decode(begin(1), outbox());
        Message row = new Message('I').i32(7).i8('N').i16(9);
        row.text("no id")
                .text("order")
                .text("1")
                .nul()
                .text("a.v1")
                .text("text/plain")
                .text("\\x00")
                .nul();
        assertThatThrownBy(() -> decode(row.text("2000-01-01 00:00:00+00")))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("00000003-0000000000000001-00000000");
    }

    @Test
    void aTableOfDebeziumsLayoutIsReadAsText() {
        decoder = new PgOutputDecoder(SOURCE.withLayout(OutboxLayout.debezium("tributary.outbox")), SOURCE.epoch());
        String[] columns = {"payload", "id", "type", "aggregateid", "aggregatetype", "more"};
        decode(begin(1), relation(7, "outbox", columns));
        Message row = new Message('I').i32(7).i8('N').i16(6);
        row.text("\\x6869")
                .text(ID.toString())
                .text("OrderPlaced")
                .text("42")
                .text("Order")
                .nul();
        decode(row);
        assertThat(events).singleElement().satisfies(event -> {
            assertThat(event.id()).isEqualTo(ID);
            assertThat(event.aggregateType()).isEqualTo("Order");
            assertThat(event.type()).asString(StandardCharsets.UTF_8).isEqualTo("OrderPlaced");
            assertThat(event.aggregateId()).asString(StandardCharsets.UTF_8).isEqualTo("42");
            assertThat(event.payload()).asString(StandardCharsets.UTF_8).isEqualTo("hi");
            assertThat(event.contentType()).asString(StandardCharsets.UTF_8).isEqualTo("application/json");
            assertThat(event.headers()).isNull();
            assertThat(event.occurredAt()).isEqualTo(event.committedAt());
            assertThat(event.sequence()).isZero();
        });
    }

    @Test
    void aMissingPayloadStopsTheSource() {
        decode(begin(1), outbox());
        Message row = new Message('I').i32(7).i8('N').i16(9);
        row.text(ID.toString())
                .text("order")
                .text("1")
                .nul()
                .text("a.v1")
                .text("text/plain")
                .nul()
                .nul()
                .nul();
        assertThatThrownBy(() -> decode(row))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("payload");
    }

    @Test
    void anUnknownMessageStopsTheSource() {
        assertThatThrownBy(() -> decode(new Message('z')))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("'z'");
    }

    private void decode(Message... messages) {
        for (Message message : messages) {
            decoder.decode(message.read(), listener);
        }
    }

    private static Message begin(long commitLsn) {
        return new Message('B').i64(commitLsn).i64(1_000_000).i32(42);
    }

    private static Message commit(long commitLsn, long endLsn) {
        return new Message('C').i8(0).i64(commitLsn).i64(endLsn).i64(1_000_000);
    }

    private static Message outbox() {
        return relation(7, "outbox", COLUMNS);
    }

    private static Message relation(int id, String table, String... columns) {
        Message message =
                new Message('R').i32(id).zero("tributary").zero(table).i8('d').i16(columns.length);
        for (String column : columns) {
            message.i8(0).zero(column).i32(TYPES.getOrDefault(column, 25)).i32(-1);
        }
        return message;
    }

    private static Message binaryInsert() {
        return new Message('I')
                .i32(7)
                .i8('N')
                .i16(9)
                .binary(new Message().i64(ID.getMostSignificantBits()).i64(ID.getLeastSignificantBits()))
                .binary("order".getBytes(StandardCharsets.UTF_8))
                .binary("größe".getBytes(StandardCharsets.UTF_8))
                .binary(new Message().i64(7))
                .binary("order.placed.v1".getBytes(StandardCharsets.UTF_8))
                .binary("application/octet-stream".getBytes(StandardCharsets.UTF_8))
                .binary(new byte[] {1, 0, -1})
                .nul()
                .binary(new Message().i64(1_000_002));
    }

    private static Message textInsert() {
        return new Message('I')
                .i32(7)
                .i8('N')
                .i16(9)
                .text(ID.toString())
                .text("order")
                .text("größe")
                .text("7")
                .text("order.placed.v1")
                .text("application/octet-stream")
                .text("\\x0100ff")
                .nul()
                .text("2000-01-01 02:00:01.000002+02");
    }

    /** Builds a message as the server would. */
    private static final class Message {
        private final ByteBuffer bytes = ByteBuffer.allocate(1024);

        Message() {}

        Message(char kind) {
            bytes.put((byte) kind);
        }

        Message i8(int value) {
            bytes.put((byte) value);
            return this;
        }

        Message i16(int value) {
            bytes.putShort((short) value);
            return this;
        }

        Message i32(int value) {
            bytes.putInt(value);
            return this;
        }

        Message i64(long value) {
            bytes.putLong(value);
            return this;
        }

        Message zero(String text) {
            bytes.put(text.getBytes(StandardCharsets.UTF_8)).put((byte) 0);
            return this;
        }

        Message nul() {
            return i8('n');
        }

        Message binary(byte[] value) {
            i8('b').i32(value.length);
            bytes.put(value);
            return this;
        }

        Message binary(Message value) {
            byte[] content = new byte[value.bytes.position()];
            value.bytes.get(0, content);
            return binary(content);
        }

        Message text(String value) {
            byte[] content = value.getBytes(StandardCharsets.UTF_8);
            i8('t').i32(content.length);
            bytes.put(content);
            return this;
        }

        /** As the driver hands it over: a slice of a larger array. */
        ByteBuffer read() {
            byte[] content = new byte[bytes.position() + 25];
            bytes.get(0, content, 25, bytes.position());
            return ByteBuffer.wrap(content).position(25).slice();
        }
    }
}

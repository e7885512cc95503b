package dev.tributary.relay.source;

import static dev.tributary.relay.source.PgOutputMessage.begin;
import static dev.tributary.relay.source.PgOutputMessage.binaryInsert;
import static dev.tributary.relay.source.PgOutputMessage.commit;
import static dev.tributary.relay.source.PgOutputMessage.outbox;
import static dev.tributary.relay.source.PgOutputMessage.relation;
import static dev.tributary.relay.source.PgOutputMessage.textInsert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PgOutputDecoderTest {
    private static final UUID ID = PgOutputMessage.ID;
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
        PgOutputMessage row = new PgOutputMessage('I').i32(7).i8('N').i16(10);
        row.nul()
                .binary(new PgOutputMessage().i64(0))
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
        decode(new PgOutputMessage('I').i32(8).i8('N').i16(1).nul(), binaryInsert());
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
        assertThatThrownBy(() -> decode(new PgOutputMessage('U').i32(7)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("UPDATE on tributary.outbox");
        assertThatThrownBy(() -> decode(new PgOutputMessage('T').i32(1).i8(0).i32(7)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("TRUNCATE on tributary.outbox");
        decode(new PgOutputMessage('D').i32(7).i8('K'));
    }

    @Test
    void aForeignChangeIsPassedOverOnceItsTransactionIsNamed() {
        decode(begin(1), outbox());
        String remedy = catchThrowableOfType(
                        RelayException.Stopped.class, () -> decode(new PgOutputMessage('U').i32(7)))
                .remedy();
        Matcher id = Pattern.compile("name ([0-9a-f-]{36}) under relay.sources.sales.skip")
                .matcher(remedy);
        assertThat(id.find()).isTrue();

        decoder = new PgOutputDecoder(
                new SourceConfig("sales", SOURCE.url(), "relay", "", SOURCE.engine(), "${source}", 3)
                        .withSkip(Set.of(UUID.fromString(id.group(1)))),
                3);
        decode(begin(1), outbox(), new PgOutputMessage('U').i32(7), binaryInsert());
        assertThat(events).hasSize(1);
        decode(commit(1, 9), begin(9));
        assertThatThrownBy(() -> decode(new PgOutputMessage('U').i32(7))).isInstanceOf(RelayException.Stopped.class);
    }

    @Test
    void aColumnOfAnotherTypeStopsTheSourceByName() {
        PgOutputMessage relation = new PgOutputMessage('R')
                .i32(7)
                .zero("tributary")
                .zero("outbox")
                .i8('d')
                .i16(PgOutputMessage.COLUMNS.length);
        for (String column : PgOutputMessage.COLUMNS) {
            int type = column.equals("aggregate_id") ? 20 : PgOutputMessage.TYPES.getOrDefault(column, 25);
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
        PgOutputMessage row = new PgOutputMessage('I').i32(7).i8('N').i16(9);
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
        PgOutputMessage row = new PgOutputMessage('I').i32(7).i8('N').i16(6);
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
        PgOutputMessage row = new PgOutputMessage('I').i32(7).i8('N').i16(9);
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
        assertThatThrownBy(() -> decode(new PgOutputMessage('z')))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining("'z'");
    }

    private void decode(PgOutputMessage... messages) {
        for (PgOutputMessage message : messages) {
            decoder.decode(message.read(), listener);
        }
    }
}

package dev.tributary.relay.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventRouterTest {
    private static final UUID ID = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    private final EventRouter router = new EventRouter(new SourceConfig(
            "sales",
            "jdbc:postgresql://localhost/sales",
            "relay",
            "",
            SourceConfig.Engine.PGOUTPUT,
            "${source}.${aggregate_type}",
            1));

    @Test
    void theRecordIsACloudEventInBinaryMode() {
        ProducerRecord<byte[], byte[]> record = router.route(event("order", 7, null));
        assertThat(record.topic()).isEqualTo("sales.order");
        assertThat(record.partition()).isNull();
        assertThat(record.key()).asString(UTF_8).isEqualTo("größe");
        assertThat(record.value()).asString(UTF_8).isEqualTo("{}");
        assertThat(record.timestamp())
                .isEqualTo(Instant.parse("2026-01-02T03:04:05.678Z").toEpochMilli());
        assertThat(headers(record))
                .containsExactlyInAnyOrderEntriesOf(Map.ofEntries(
                        Map.entry("ce_specversion", "1.0"),
                        Map.entry("ce_id", ID.toString()),
                        Map.entry("ce_source", "/sales"),
                        Map.entry("ce_type", "order.placed.v1"),
                        Map.entry("ce_subject", "order/größe"),
                        Map.entry("ce_time", "2026-01-02T03:04:04Z"),
                        Map.entry("ce_partitionkey", "größe"),
                        Map.entry("ce_sequence", "7"),
                        Map.entry("ce_position", "00000001-00000000000001f4-00000002"),
                        Map.entry("content-type", "application/json")));
    }

    @Test
    void unsequencedEventsHaveNoSequence() {
        assertThat(headers(router.route(event("order", 0, null)))).doesNotContainKey("ce_sequence");
    }

    @Test
    void writersHeadersGoAsTheyAreAndTheTraceTwice() {
        String json = "{\"traceparent\":\"00-a-b-01\",\"ce_correlationid\":\"c\",\"tenant\":\"größe\",\"n\":1}";
        assertThat(headers(router.route(event("order", 1, json))))
                .containsEntry("traceparent", "00-a-b-01")
                .containsEntry("ce_traceparent", "00-a-b-01")
                .containsEntry("ce_correlationid", "c")
                .containsEntry("tenant", "größe")
                .containsEntry("n", "1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b", "ö", "a b"})
    void anAggregateTypeThatIsNoTopicNameStopsTheSourceByName(String aggregateType) {
        assertThatThrownBy(() -> router.route(event(aggregateType, 1, null)))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining(ID.toString())
                .hasMessageContaining("'" + aggregateType + "'");
    }

    @Test
    void headersThatAreNoObjectStopTheSourceByName() {
        assertThatThrownBy(() -> router.route(event("order", 1, "[1]")))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining(ID.toString());
    }

    /** Written past the library's checks: readers would take it for the event's place, and drop what comes behind. */
    @ParameterizedTest
    @ValueSource(strings = {"ce_position", "ce_id", "ce_source", "content-type"})
    void aHeaderThatIsTheRelaysToSetStopsTheSourceByName(String header) {
        assertThatThrownBy(() -> router.route(event("order", 1, "{\"" + header + "\":\"x\"}")))
                .isInstanceOf(RelayException.Stopped.class)
                .hasMessageContaining(ID.toString())
                .hasMessageContaining(header);
    }

    private static Map<String, String> headers(ProducerRecord<byte[], byte[]> record) {
        Map<String, String> headers = new LinkedHashMap<>();
        record.headers().forEach(header -> assertThat(headers.put(header.key(), new String(header.value(), UTF_8)))
                .isNull());
        return headers;
    }

    private static OutboxEvent event(String aggregateType, long sequence, String headers) {
        return new OutboxEvent(
                new Position(1, 500, 2),
                Instant.parse("2026-01-02T03:04:05.678901Z"),
                ID,
                aggregateType,
                "größe".getBytes(UTF_8),
                sequence,
                "order.placed.v1".getBytes(UTF_8),
                "application/json".getBytes(UTF_8),
                "{}".getBytes(UTF_8),
                headers == null ? null : headers.getBytes(UTF_8),
                Instant.parse("2026-01-02T03:04:04Z"));
    }
}

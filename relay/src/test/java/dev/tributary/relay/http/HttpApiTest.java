package dev.tributary.relay.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.outbox.retention.RetentionStatus;
import dev.tributary.relay.SlotHealth;
import dev.tributary.relay.SourceState;
import dev.tributary.relay.SourceStatus;
import dev.tributary.relay.config.HttpConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpApiTest {
    private static final HttpConfig ANY_PORT = new HttpConfig("127.0.0.1", 0);
    private static final Instant SINCE = Instant.parse("2026-11-21T01:02:03Z");
    private static final SourceStatus SALES = new SourceStatus(
            "sales",
            SourceState.STREAMING,
            SINCE,
            "",
            "",
            true,
            new SourceStatus.Progress(
                    7, 2_100, 2, 1, 0x16_B374D848L, 0x16_B374D8A8L, 1_000, 5_000L, 3, 0, Duration.ofMillis(1_500)),
            new SlotHealth("reserved", 6_000L, 100.0, Duration.ofSeconds(50), ""),
            new RetentionStatus(true, 48, 70_000, 8_000, Duration.ofMinutes(2), "late", "Wait"));
    private static final SourceStatus SUPPORT = new SourceStatus(
            "support",
            SourceState.SLOT_LOST,
            SINCE,
            "slot tributary_support is gone",
            "Recover it",
            false,
            new SourceStatus.Progress(0, 0, 0, 0, 0, 0, 0, null, 0, 0, null),
            SlotHealth.UNKNOWN);

    private static volatile List<SourceStatus> statuses = List.of();
    private static HttpApi api;

    @BeforeAll
    static void start() {
        // Meters are made for the sources that there are at the start
        statuses = List.of(SALES, SUPPORT);
        api = HttpApi.start(ANY_PORT, () -> statuses);
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @BeforeEach
    void bothSources() {
        statuses = List.of(SALES, SUPPORT);
    }

    @Test
    void tellsAllSourcesWithLsnsAsNumbersAndText() throws Exception {
        HttpResponse<String> response = get("/api/v1/sources");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response)).isEqualTo(new ObjectMapper().readTree("""
                                [{"source": "sales", "state": "STREAMING", "since": "2026-11-21T01:02:03Z",
                                  "reason": "", "remedy": "", "moving": true,
                                  "progress": {"events": 7, "bytes": 2100, "skipped": 2, "retries": 1,
                                    "eventsInFlight": 3, "parkedAggregates": 0, "confirmedLsn": 97500059720,
                                    "confirmedLsnText": "16/B374D848", "serverLsn": 97500059816,
                                    "serverLsnText": "16/B374D8A8", "retainedBytes": 1000, "safeBytes": 5000,
                                    "lagBytes": 96, "lagSeconds": 1.5},
                                  "slot": {"walStatus": "reserved", "retainedBytes": 1000, "safeBytes": 5000,
                                    "bytesMax": 6000, "walBytesPerSecond": 100.0, "secondsLeft": 50, "danger": ""},
                                  "retention": {"leading": true, "partitions": 48, "outboxBytes": 70000,
                                    "defaultBytes": 8000, "overdueSeconds": 120, "trouble": "late", "remedy": "Wait"}},
                                 {"source": "support", "state": "SLOT_LOST", "since": "2026-11-21T01:02:03Z",
                                  "reason": "slot tributary_support is gone", "remedy": "Recover it", "moving": false,
                                  "progress": {"events": 0, "bytes": 0, "skipped": 0, "retries": 0,
                                    "eventsInFlight": 0, "parkedAggregates": 0, "confirmedLsn": 0, "confirmedLsnText": "0/0",
                                    "serverLsn": 0, "serverLsnText": "0/0", "retainedBytes": 0,
                                    "safeBytes": null, "lagBytes": 0, "lagSeconds": null},
                                  "slot": {"walStatus": null, "retainedBytes": 0, "safeBytes": null, "bytesMax": null,
                                    "walBytesPerSecond": null, "secondsLeft": null, "danger": ""},
                                  "retention": null}]
                                """));
    }

    @Test
    void isReadyOnlyWhileEverySourceStreams() throws Exception {
        HttpResponse<String> notReady = get("/health/readiness");
        assertThat(notReady.statusCode()).isEqualTo(503);
        JsonNode sources = json(notReady).at("/details/sources/details");
        assertThat(sources.at("/support/state").asText()).isEqualTo("SLOT_LOST");
        assertThat(sources.at("/support/reason").asText()).isEqualTo("slot tributary_support is gone");
        assertThat(sources.at("/support/remedy").asText()).isEqualTo("Recover it");
        assertThat(sources.at("/sales/state").asText()).isEqualTo("STREAMING");

        statuses = List.of(SALES);
        HttpResponse<String> ready = get("/health/readiness");
        assertThat(ready.statusCode()).isEqualTo(200);
        assertThat(json(ready).at("/status").asText()).isEqualTo("UP");
    }

    @Test
    void isNotReadyWhileASlotIsInDanger() throws Exception {
        statuses = List.of(new SourceStatus(
                "sales",
                SourceState.STREAMING,
                SINCE,
                "",
                "",
                true,
                SALES.progress(),
                new SlotHealth("unreserved", null, null, null, "the slot's WAL is unreserved")));
        HttpResponse<String> notReady = get("/health/readiness");
        assertThat(notReady.statusCode()).isEqualTo(503);
        assertThat(json(notReady).at("/details/sources/details/sales/reason").asText())
                .isEqualTo("the slot's WAL is unreserved");
    }

    @Test
    void isAliveWhateverItsSourcesDo() throws Exception {
        HttpResponse<String> alive = get("/health/liveness");

        assertThat(alive.statusCode()).isEqualTo(200);
        assertThat(json(alive).at("/status").asText()).isEqualTo("UP");
    }

    @Test
    void givesPrometheusEverySourcesFigures() throws Exception {
        HttpResponse<String> metrics = get("/prometheus");

        assertThat(metrics.statusCode()).isEqualTo(200);
        assertThat(metrics.body().lines())
                .contains(
                        "tributary_relay_events_total{source=\"sales\"} 7.0",
                        "tributary_relay_bytes_total{source=\"sales\"} 2100.0",
                        "tributary_relay_skipped_total{source=\"sales\"} 2.0",
                        "tributary_relay_retries_total{source=\"sales\"} 1.0",
                        "tributary_relay_confirmed_lsn{source=\"sales\"} 9.750005972E10",
                        "tributary_relay_server_lsn{source=\"sales\"} 9.7500059816E10",
                        "tributary_relay_lag_bytes{source=\"sales\"} 96.0",
                        "tributary_relay_lag_seconds{source=\"sales\"} 1.5",
                        "tributary_relay_lag_seconds{source=\"support\"} NaN",
                        "tributary_relay_outbox_bytes{source=\"sales\"} 70000.0",
                        "tributary_relay_outbox_default_bytes{source=\"sales\"} 8000.0",
                        "tributary_relay_outbox_overdue_seconds{source=\"sales\"} 120.0",
                        "tributary_relay_outbox_overdue_seconds{source=\"support\"} NaN",
                        "tributary_relay_in_flight{source=\"sales\"} 3.0",
                        "tributary_relay_slot_bytes_max{source=\"sales\"} 6000.0",
                        "tributary_relay_slot_seconds_left{source=\"sales\"} 50.0",
                        "tributary_relay_slot_seconds_left{source=\"support\"} NaN",
                        "tributary_relay_wal_bytes_per_second{source=\"sales\"} 100.0",
                        "tributary_relay_slot_danger{source=\"sales\"} 0.0",
                        "tributary_relay_slot_wal_status{source=\"sales\",wal_status=\"reserved\"} 1.0",
                        "tributary_relay_slot_wal_status{source=\"support\",wal_status=\"reserved\"} 0.0",
                        "tributary_relay_state{source=\"sales\",state=\"streaming\"} 1.0",
                        "tributary_relay_state{source=\"sales\",state=\"slot_lost\"} 0.0",
                        "tributary_relay_state{source=\"support\",state=\"slot_lost\"} 1.0");
    }

    @Test
    void saysThatItsPortIsTaken() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            HttpConfig config = new HttpConfig("127.0.0.1", taken.getLocalPort());

            assertThatThrownBy(() -> HttpApi.start(config, () -> statuses))
                    .isInstanceOf(HttpApiException.class)
                    .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort())
                    .hasMessageContaining("relay.http.port");
        }
    }

    private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(api.uri().resolve(path)).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        return new ObjectMapper().readTree(response.body());
    }
}

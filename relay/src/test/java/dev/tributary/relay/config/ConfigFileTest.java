package dev.tributary.relay.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.relay.config.SourceConfig.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
    private static final String GOOD = """
            relay:
              kafka:
                bootstrap.servers: localhost:9092
              sources:
                sales:
                  url: jdbc:postgresql://localhost:5432/sales
                  username: relay
            """;

    @TempDir
    private Path directory;

    @Test
    void readsTheBlueprintsExample() throws IOException {
        RelayConfig config = read("""
                relay:
                  kafka:                       # any Kafka client property
                    bootstrap.servers: localhost:9092
                  http: { host: 127.0.0.1, port: 8081 }
                  sources:
                    sales:
                      url: jdbc:postgresql://localhost:5432/sales
                      username: relay
                      password: ${SALES_PASSWORD}
                      engine: pgoutput         # pgoutput | debezium
                      topic: "${source}.${aggregate_type}"
                """, Map.of("SALES_PASSWORD", "s${x}e\\c$ret"));

        assertThat(config)
                .isEqualTo(new RelayConfig(
                        Map.of("bootstrap.servers", "localhost:9092"),
                        new HttpConfig("127.0.0.1", 8081),
                        List.of(new SourceConfig(
                                "sales",
                                "jdbc:postgresql://localhost:5432/sales",
                                "relay",
                                "s${x}e\\c$ret",
                                Engine.PGOUTPUT,
                                "${source}.${aggregate_type}",
                                1))));
    }

    @Test
    void readsTheExampleThatIsDelivered() {
        RelayConfig config = ConfigFile.read(
                Path.of("src/main/distribution/conf/relay.example.yaml"), Map.of("SALES_PASSWORD", "pw"));

        assertThat(config.http()).isEqualTo(HttpConfig.ofDefaults());
        assertThat(config.sources()).extracting(SourceConfig::password).containsExactly("pw");
    }

    @Test
    void leavesOutNothingThatHasADefault() throws IOException {
        RelayConfig config = read(GOOD, Map.of());

        assertThat(config.http()).isEqualTo(HttpConfig.ofDefaults());
        SourceConfig sales = config.sources().get(0);
        assertThat(sales.engine()).isEqualTo(Engine.PGOUTPUT);
        assertThat(sales.topic()).isEqualTo("${source}.${aggregate_type}");
        assertThat(sales.epoch()).isEqualTo(1);
        assertThat(sales.slot()).isEqualTo("tributary_sales");
    }

    @Test
    void passesKafkaPropertiesOnToTheLetter() throws IOException {
        String jaas =
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p;x\";";
        RelayConfig config = read("""
                relay:
                  kafka:
                    bootstrap.servers: [one:9092, two:9092]
                    max.request.size: 1_048_576
                    linger.ms: 010
                    config.providers: file
                    config.providers.file.class: org.apache.kafka.common.config.provider.FileConfigProvider
                    ssl.key.password: ${file:/run/secrets/kafka:key}
                    ssl.keyPassword_x-Y: yes
                    sasl.jaas.config: 'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p;x";'
                    security:
                      protocol: SASL_SSL
                  sources: { sales: { url: "jdbc:postgresql:sales", username: relay } }
                """, Map.of());

        assertThat(config.kafka())
                .containsOnly(
                        Map.entry("bootstrap.servers", "one:9092,two:9092"),
                        Map.entry("max.request.size", "1_048_576"),
                        Map.entry("linger.ms", "010"),
                        Map.entry("config.providers", "file"),
                        Map.entry(
                                "config.providers.file.class",
                                "org.apache.kafka.common.config.provider.FileConfigProvider"),
                        Map.entry("ssl.key.password", "${file:/run/secrets/kafka:key}"),
                        Map.entry("ssl.keyPassword_x-Y", "yes"),
                        Map.entry("sasl.jaas.config", jaas),
                        Map.entry("security.protocol", "SASL_SSL"));
    }

    @Test
    void takesEveryKeyFromTheEnvironmentToo() throws IOException {
        RelayConfig config = read(
                GOOD,
                Map.ofEntries(
                        Map.entry("RELAY_KAFKA_BOOTSTRAP_SERVERS", "kafka:9093"),
                        Map.entry("RELAY_KAFKA_MAX_REQUEST_SIZE", "2000000"),
                        Map.entry("RELAY_KAFKA_SASL_JAAS_CONFIG", "x ${y};"),
                        Map.entry("RELAY_HTTP_HOST", "0.0.0.0"),
                        Map.entry("RELAY_HTTP_PORT", "9000"),
                        Map.entry("RELAY_SOURCES_SALES_PASSWORD", "pw"),
                        Map.entry("RELAY_SOURCES_MY_SHOP_URL", "jdbc:postgresql://db/shop"),
                        Map.entry("RELAY_SOURCES_MY_SHOP_USERNAME", "other"),
                        Map.entry("RELAY_SOURCES_MY_SHOP_ENGINE", "debezium"),
                        Map.entry("RELAY_SOURCES_MY_SHOP_TOPIC", "x.${source}"),
                        Map.entry("RELAY_SOURCES_MY_SHOP_EPOCH", "3"),
                        Map.entry("RELAY_LOG", "json"),
                        Map.entry("RELAY_PORT", "tcp://10.0.0.1:8081")));

        assertThat(config.kafka())
                .containsOnly(
                        Map.entry("bootstrap.servers", "kafka:9093"),
                        Map.entry("max.request.size", "2000000"),
                        Map.entry("sasl.jaas.config", "x ${y};"));
        assertThat(config.http()).isEqualTo(new HttpConfig("0.0.0.0", 9000));
        assertThat(config.sources())
                .containsExactly(
                        new SourceConfig(
                                "my_shop", "jdbc:postgresql://db/shop", "other", "", Engine.DEBEZIUM, "x.${source}", 3),
                        new SourceConfig(
                                "sales",
                                "jdbc:postgresql://localhost:5432/sales",
                                "relay",
                                "pw",
                                Engine.PGOUTPUT,
                                "${source}.${aggregate_type}",
                                1));
    }

    @Test
    void tellsAllMistakesAtOnce() {
        ConfigurationException e = mistakesOf("""
                realy: x
                relay:
                  htpp: { port: 1 }
                  kafka:
                    acks: 1
                    enable.idempotence: FALSE
                    max.in.flight.requests.per.connection: 6
                    retries: 0
                    transactional.id: mine
                    partitioner.class: org.example.Mine
                    interceptor.classes: org.example.Other
                  http: { port: eighty, hots: x }
                  sources:
                    sales:
                      url: jdbc:mysql://localhost/sales
                      user: relay
                      password: ${NOT_SET}
                      engine: pgoutptu
                      topic: "${sourze} x"
                      epoch: 0
                    Support:
                      url: jdbc:postgresql://localhost/support?password=hidden
                      username: relay
                """, Map.of());

        assertThat(e.mistakes().stream().map(Mistake::toString))
                .containsExactlyInAnyOrder(
                        "realy: is not a key of the relay's; did you mean 'relay'?",
                        "relay.htpp.port: is not a key of the relay's; did you mean 'http'?",
                        "relay.kafka.bootstrap.servers: is missing; name a broker as host:port",
                        "relay.kafka.acks: must be all, not 1; less may lose events; remove it",
                        "relay.kafka.enable.idempotence: must be true; retries would reorder and double events otherwise; remove it",
                        "relay.kafka.max.in.flight.requests.per.connection: must be 1, not 6; with more, a broker may take a batch though the one before it was refused; remove it",
                        "relay.kafka.retries: must be a number of at least 1, not 0; without retries every hiccup closes the producer",
                        "relay.kafka.transactional.id: must not be set: the relay needs no Kafka transactions, and consumers would wait for their ends; remove it",
                        "relay.kafka.partitioner.class: must not be set: events of one aggregate must keep to one partition, as Kafka's own partitioner has it; remove it",
                        "relay.kafka.interceptor.classes: must not be set: an interceptor could alter or swallow events; remove it",
                        "relay.http.port: must be a whole number, not 'eighty'",
                        "relay.http.hots: is not a key of the relay's; did you mean 'host'?",
                        "relay.sources.sales.url: is not a JDBC URL of PostgreSQL, such as jdbc:postgresql://localhost:5432/sales",
                        "relay.sources.sales.user: is not a key of the relay's; did you mean 'username'?",
                        "relay.sources.sales.username: is missing; name a role that may replicate",
                        "relay.sources.sales.password: needs the environment variable NOT_SET, which is not set",
                        "relay.sources.sales.engine: must be pgoutput or debezium, not 'pgoutptu'; did you mean 'pgoutput'?",
                        "relay.sources.sales.topic: does not know '${sourze}'; there are ${source} and ${aggregate_type}",
                        "relay.sources.sales.epoch: must be 1 or more, not 0",
                        "relay.sources.Support: a source's name has 1 to 53 lower-case letters, digits and underscores",
                        "relay.sources.Support.url: must not carry user or password; give them as username and password");
    }

    @Test
    void theEngineHasItsOwnSockets() {
        assertThat(mistakesOf(
                        GOOD.replace("/sales\n", "/sales?socketFactory=com.google.cloud.sql.postgres.SocketFactory\n"),
                        Map.of()))
                .hasMessageContaining("connect through a proxy");
    }

    @Test
    void saysWhichVariableSetTheWrongValue() {
        assertThat(mistakesOf(GOOD, Map.of("RELAY_HTTP_PORT", "tcp://10.0.0.1:8081")))
                .hasMessage(
                        "relay.http.port: (set by RELAY_HTTP_PORT) must be a whole number, not 'tcp://10.0.0.1:8081'");
        assertThat(mistakesOf(GOOD, Map.of("RELAY_SOURCES_SALES_PASWORD", "x")))
                .hasMessage("relay.sources.sales.pasword: (set by RELAY_SOURCES_SALES_PASWORD) is not a key of the"
                        + " relay's; did you mean 'password'?");
    }

    @Test
    void readsTheLimitsOfTheSlotAndTellsMistakesByTheirKeys() throws IOException {
        assertThat(read(GOOD, Map.of()).sources().get(0).slotLimits()).isEqualTo(SlotLimits.DEFAULT);
        SourceConfig sales = read(GOOD + """
                      slot.bytes.max: 50000000000
                      slot.time.min: PT30M
                """, Map.of()).sources().get(0);
        assertThat(sales.slotLimits()).isEqualTo(new SlotLimits(50_000_000_000L, Duration.ofMinutes(30)));
        assertThatThrownBy(() -> read(GOOD + "      slot.bytes.max: 50GB\n", Map.of()))
                .hasMessageContaining("relay.sources.sales.slot.bytes.max: must be a number of bytes");
        assertThatThrownBy(() -> read(GOOD + "      slot.bytes.max: 0\n", Map.of()))
                .hasMessageContaining("relay.sources.sales.slot.bytes.max: must be 1 or more");
        assertThatThrownBy(() -> read(GOOD + "      slot.time.min: 10m\n", Map.of()))
                .hasMessageContaining("relay.sources.sales.slot.time.min: must be a duration such as PT10M");
    }

    @Test
    void readsHowLongEventsStayAndTellsMistakesByTheirKeys() throws IOException {
        assertThat(read(GOOD, Map.of()).sources().get(0).retention()).isNull();
        assertThat(read(GOOD + "      retention.window: P2D\n", Map.of())
                        .sources()
                        .get(0)
                        .retention())
                .isEqualTo(RetentionSettings.ofWindow(Duration.ofDays(2)));
        assertThat(read(
                                GOOD,
                                Map.of(
                                        "RELAY_SOURCES_SALES_RETENTION_WINDOW", "PT6H",
                                        "RELAY_SOURCES_SALES_RETENTION_SPAN", "PT10M",
                                        "RELAY_SOURCES_SALES_RETENTION_AHEAD", "6",
                                        "RELAY_SOURCES_SALES_RETENTION_PAUSE_MAX", "PT0.1S"))
                        .sources()
                        .get(0)
                        .retention())
                .isEqualTo(
                        new RetentionSettings(Duration.ofHours(6), Duration.ofMinutes(10), 6, Duration.ofMillis(100)));
        assertThatThrownBy(() -> read(GOOD + "      retention.span: PT1H\n", Map.of()))
                .hasMessageContaining("relay.sources.sales.retention.window: is missing");
        assertThatThrownBy(() -> read(GOOD + "      retention.window: 1d\n      retention.ahead: x\n", Map.of()))
                .hasMessageContaining("retention.window: must be a duration such as P1D")
                .hasMessageContaining("retention.ahead: must be a number of partitions, not 'x'");
        assertThatThrownBy(() -> read(GOOD + "      retention.window: P365D\n", Map.of()))
                .hasMessageContaining("relay.sources.sales.retention: window, span and ahead make 8784 partitions");
        assertThatThrownBy(() -> read(
                        GOOD + "      layout: debezium\n      table: public.o\n      retention.window: P1D\n",
                        Map.of()))
                .hasMessageContaining("relay.sources.sales.retention.window: needs Tributary's own tables");
    }

    @Test
    void readsDebeziumsLayoutUnderDebeziumsNames() throws IOException {
        SourceConfig sales = read(GOOD + """
                      layout: debezium
                      table: public.outboxevent
                      table.field.event.key: aggregate_id
                      table.field.event.timestamp: created_at
                      route.by.field: aggregate_type
                      table.fields.additional.placement: "tenant:header, origin:header:source"
                      transaction.bytes.max: 1000
                """, Map.of()).sources().get(0);
        assertThat(sales.layout())
                .isEqualTo(new OutboxLayout(
                        OutboxLayout.Kind.DEBEZIUM,
                        List.of("public.outboxevent"),
                        Map.of(
                                EventColumn.ID, "id",
                                EventColumn.AGGREGATE_TYPE, "aggregate_type",
                                EventColumn.AGGREGATE_ID, "aggregate_id",
                                EventColumn.TYPE, "type",
                                EventColumn.PAYLOAD, "payload",
                                EventColumn.OCCURRED_AT, "created_at"),
                        Map.of("tenant", "tenant", "origin", "source"),
                        "application/json"));
        assertThat(sales.publication()).isEqualTo("tributary_sales");
        assertThat(sales.transactionBytesMax()).isEqualTo(1000);
        assertThat(read(GOOD, Map.of()).sources().get(0).publication()).isEqualTo("tributary");
    }

    @Test
    void tellsWhatIsWrongWithALayout() {
        assertThat(mistakesOf(GOOD + "      layout: debezum\n", Map.of()))
                .hasMessage("relay.sources.sales.layout: must be tributary or debezium, not 'debezum'; did you mean"
                        + " 'debezium'?");
        assertThat(mistakesOf(GOOD + "      layout: debezium\n", Map.of()))
                .hasMessageContaining("name the outbox table");
        assertThat(mistakesOf(GOOD + "      table: public.outbox\n", Map.of()))
                .hasMessage("relay.sources.sales.table: is for layout: debezium");
        assertThat(mistakesOf(GOOD + "      layout: debezium\n      table: outbox\n", Map.of()))
                .hasMessageContaining("must be schema.table");
        assertThat(mistakesOf(
                        GOOD + "      layout: debezium\n      table: a.b\n"
                                + "      table.fields.additional.placement: x:envelope\n",
                        Map.of()))
                .hasMessageContaining("'x:envelope'");
    }

    @Test
    void refusesTwoSourcesInOneTopic() {
        assertThat(mistakesOf("""
                        relay:
                          kafka: { bootstrap.servers: "localhost:9092" }
                          sources:
                            sales: { url: "jdbc:postgresql:sales", username: relay, topic: "x.${aggregate_type}" }
                            support: { url: "jdbc:postgresql:support", username: relay, topic: "x.${aggregate_type}" }
                        """, Map.of()))
                .hasMessageContaining("relay.sources.support.topic: leads to the same topics as source 'sales'");
    }

    @Test
    void refusesTopicNamesThatKafkaWouldRefuse() {
        String prefix = "relay.sources.sales.topic: ";
        assertThat(TopicTemplate.problems("sales ${aggregate_type}", "sales")).hasSize(1);
        assertThat(TopicTemplate.problems("a".repeat(150) + "${aggregate_type}", "sales"))
                .hasSize(1);
        assertThat(TopicTemplate.problems("a".repeat(149) + "${aggregate_type}", "sales"))
                .isEmpty();
        assertThat(mistakesOf(GOOD + "      topic: ''\n", Map.of())).hasMessageStartingWith(prefix);
    }

    @Test
    void hidesSecrets() throws IOException {
        RelayConfig config = read(
                GOOD.replace("/sales\n", "/sales?sslpassword=hidden1\n")
                        + "      password: hidden2\n".indent(0)
                        + "  kafka.ssl.key.password: hidden3\n",
                Map.of());

        assertThat(config.sources().get(0).password()).isEqualTo("hidden2");
        assertThat(config.kafka()).containsEntry("ssl.key.password", "hidden3");
        assertThat(config.toString()).contains("ssl.key.password").doesNotContain("hidden");
    }

    @Test
    void saysWhyAFileCannotBeUsedWithoutQuotingIt() throws IOException {
        assertThatThrownBy(() -> ConfigFile.read(directory.resolve("nowhere.yaml"), Map.of()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("nowhere.yaml: does not exist");
        assertThatThrownBy(() -> ConfigFile.read(directory, Map.of())).hasMessageContaining("directory");
        assertThat(mistakesOf("relay:\n  password: 'hidden\n", Map.of()))
                .hasMessageContaining("is not valid YAML: line")
                .hasMessageNotContaining("hidden");
        assertThat(mistakesOf("relay: x\nrelay: y\n", Map.of())).hasMessageContaining("duplicate key relay");
        assertThat(mistakesOf("just words", Map.of())).hasMessageContaining("is not a map of keys");
        assertThat(mistakesOf("", Map.of()).mistakes())
                .extracting(Mistake::key)
                .containsExactlyInAnyOrder("relay.kafka.bootstrap.servers", "relay.sources");
    }

    private ConfigurationException mistakesOf(String yaml, Map<String, String> environment) {
        return catchThrowableOfType(ConfigurationException.class, () -> read(yaml, environment));
    }

    private RelayConfig read(String yaml, Map<String, String> environment) throws IOException {
        Path file = directory.resolve("relay.yaml");
        Files.writeString(file, yaml);
        return ConfigFile.read(file, environment);
    }
}

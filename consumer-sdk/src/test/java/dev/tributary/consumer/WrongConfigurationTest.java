package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewVersion;
import dev.tributary.localstack.LocalPostgres;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What somebody gets wrong who uses this for the first time: each is told by name, with what to do about it. */
class WrongConfigurationTest {
    private final SubscriptionBed bed = new SubscriptionBed();
    private final LocalPostgres postgres = LocalPostgres.shared();
    private final String bare = postgres.createDatabase("bare");

    @AfterEach
    void close() {
        bed.close();
        postgres.dropDatabase(bare);
    }

    private static DataSource dataSource(String url, String user) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        dataSource.setUser(user);
        dataSource.setPassword(user);
        return dataSource;
    }

    private void saysOfItsPartition(DataSource dataSource, String... expected) {
        Subscription subscription = bed.start(bed.accounts().dataSource(dataSource));
        eventually(() ->
                assertThat(SubscriptionBed.partition(subscription).reason()).contains(expected));
    }

    private void saysOfTheView(DataSource dataSource, String... expected) {
        View.Builder builder = View.builder("accounts")
                .kafka(SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()))
                .dataSource(dataSource)
                .topics(bed.topic.name())
                .version(ViewVersion.of(
                        1, "CREATE TABLE total ()", s -> s.on(Added.TYPE, Added.class, ViewDatabase::apply)));
        try (View view = builder.start()) {
            eventually(() -> assertThat(view.status().problem()).contains(expected));
        }
    }

    @Test
    void schemaThatIsNotThere() {
        DataSource dataSource = dataSource(bare, LocalPostgres.USER);
        saysOfItsPartition(dataSource, "subscription_position", "run the migrations in classpath:tributary/consumer");
        saysOfTheView(dataSource, "view_version", "run the migrations in classpath:tributary/consumer");
    }

    @Test
    void roleThatMayNotUseIt() {
        bed.view.execute(
                "DO $$ BEGIN CREATE ROLE newcomer LOGIN PASSWORD 'newcomer'; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        DataSource dataSource = dataSource(bed.view.url(), "newcomer");
        saysOfItsPartition(dataSource, "permission denied", "grant this role USAGE on schema tributary");
        saysOfTheView(dataSource, "permission denied", "grant this role USAGE on schema tributary");
        bed.view.execute(
                "GRANT USAGE ON SCHEMA tributary TO newcomer",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tributary TO newcomer");
        saysOfTheView(dataSource, "permission denied", "grant this role CREATE on the database");
    }

    @Test
    void databaseThatIsNotThere() {
        try (HikariDataSource pool = new HikariDataSource()) {
            pool.setJdbcUrl(bare + "_elsewhere");
            pool.setUsername(LocalPostgres.USER);
            pool.setPassword(LocalPostgres.PASSWORD);
            pool.setInitializationFailTimeout(-1);
            pool.setConnectionTimeout(1_000);
            saysOfItsPartition(pool, "Connection is not available", "_elsewhere\" does not exist");
        }
    }

    @Test
    void brokersThatAreNotThere() {
        Map<String, Object> settings = new HashMap<>(SubscriptionBed.kafkaSettings("kafka.invalid:9092"));
        Subscription unknown = bed.start(bed.accounts().kafka(settings));
        eventually(() -> assertThat(unknown.status().reason()).contains("No resolvable bootstrap urls"));
        settings.put("bootstrap.servers", "127.0.0.1:1");
        Subscription silent = bed.start(bed.accounts().kafka(settings));
        eventually(() -> assertThat(silent.status().reason()).contains("cannot reach Kafka"));
    }

    @Test
    void topicThatIsNotThereOrCannotBe() {
        assertThatThrownBy(() -> bed.accounts().topics("sales customer").start())
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("'sales customer' cannot name a topic");
        assertThatThrownBy(() -> bed.accounts().deadLetterTopic("").start())
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("'' cannot name a topic");
        Subscription waiting = bed.start(bed.accounts().topics("sales.custommer"));
        eventually(() -> assertThat(waiting.status().reason())
                .contains("waiting for topics that do not exist yet: sales.custommer"));
    }

    @Test
    void namesAndNumbersThatCannotBe() {
        assertThatThrownBy(() -> View.builder("our accounts"))
                .hasMessageContaining("'our accounts' cannot name a view: it names a schema");
        assertThatThrownBy(() -> View.builder("accounts").liveLagMax(-1)).hasMessageContaining("liveLagMax");
        assertThatThrownBy(() -> View.builder("accounts").buildEventsPerSecondMax(0))
                .hasMessageContaining("buildEventsPerSecondMax must be at least 1");
        assertThatThrownBy(() -> bed.bare(" ")
                        .on(Added.TYPE, Added.class, ViewDatabase::apply)
                        .start())
                .hasMessageContaining("a subscription needs a name");
        assertThatThrownBy(() -> bed.bare().on(" ", Added.class, ViewDatabase::apply))
                .hasMessageContaining("types are named name.vN");
        assertThatThrownBy(() -> bed.accounts().on(Added.TYPE, Added.class, ViewDatabase::apply))
                .hasMessageContaining("two handlers for " + Added.TYPE);
        assertThatThrownBy(() -> bed.bare().start()).hasMessageContaining("add some with on(...)");
    }

    @Test
    void handlerForAnotherVersionTableThatIsNotThereAndPayloadThatDoesNotFit() {
        Subscription old = bed.start(bed.bare().on("account.added", Added.class, ViewDatabase::apply));
        bed.topic.send(bed.topic.event("sales", "a", Added.TYPE, "{\"amount\":\"much\"}"));
        eventually(() -> {
            assertThat(SubscriptionBed.partition(old).reason()).contains("there is no handler for type " + Added.TYPE);
            assertThat(SubscriptionBed.partition(old).remedy()).contains("onUnknownType(SKIP)");
        });
        old.close();
        Subscription second = bed.start(bed.accounts().on("account.moved.v1", Added.class, (event, connection) -> {
            try (var statement = connection.createStatement()) {
                statement.execute("INSERT INTO moves VALUES (1)");
            }
        }));
        bed.topic.send(bed.topic.event("sales", "b", "account.moved.v1", "{\"amount\":1}"));
        eventually(() -> assertThat(second.parkedEvents().aggregates(2))
                .extracting(ParkedAggregate::error)
                .satisfiesExactly(
                        misfit -> assertThat(misfit).contains("amount", "much"),
                        noTable -> assertThat(noTable).contains("\"moves\" does not exist")));
    }
}

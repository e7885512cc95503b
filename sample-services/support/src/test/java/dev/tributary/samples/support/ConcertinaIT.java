package dev.tributary.samples.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.PartitionStatus;
import dev.tributary.consumer.Subscription;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.schema.Upcasters;
import io.micronaut.context.annotation.Property;
import io.micronaut.test.extensions.junit5.annotation.MicronautTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;

/** Sales moves from {@code customer.renamed.v1} to {@code v2}; support is ready for it, another reader is not. */
@MicronautTest(transactional = false)
@Property(name = "tributary.subscriptions.support-customer-view.enabled", value = "false")
class ConcertinaIT extends AgainstLocalStack {
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final String ID = "\"customerId\": \"" + CUSTOMER + "\", ";

    @Inject
    CustomerViewUpdates support;

    @Inject
    Upcasters upcasters;

    private final String source = "sales" + System.nanoTime();
    private int sent;

    record OldRenamed(UUID customerId, String name) {}

    @Test
    void a_writer_moves_to_a_new_version_while_an_early_and_a_late_reader_run() throws Exception {
        try (var announcements = new Announcements(KAFKA);
                HikariDataSource database = database()) {
            announcements.createTopics(source + ".customer");
            try (Connection connection = connect();
                    var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE late_reader (customer_id uuid PRIMARY KEY, name text)");
            }
            try (Subscription early = reader("early", database)
                            .upcasters(upcasters)
                            .on("customer.renamed.v2", CustomerRenamed.class, support::renamed)
                            .start();
                    Subscription late = reader("late", database)
                            .on("customer.renamed.v1", OldRenamed.class, ConcertinaIT::oldRenamed)
                            .start()) {
                // Readers first: the early one reads both
                rename(announcements, "v1", "\"name\": \"Ada\"");
                awaitNames("Ada", "Ada");
                // The writer says it in both ways
                rename(announcements, "v1", "\"name\": \"Ada B.\", \"newName\": \"Ada B.\"");
                awaitNames("Ada B.", "Ada B.");
                // The writer moves, too early for one of them
                rename(announcements, "v2", "\"newName\": \"Ada L.\"");
                eventually(() -> assertThat(value("SELECT name FROM customer")).isEqualTo("Ada L."));
                eventually(() -> assertThat(late.status().partitions()).anySatisfy(partition -> assertThat(partition)
                        .returns(PartitionStatus.State.STOPPED, PartitionStatus::state)
                        .satisfies(stopped ->
                                assertThat(stopped.reason()).contains("no handler for type customer.renamed.v2"))));
                assertThat(value("SELECT name FROM late_reader")).isEqualTo("Ada B.");
                assertThat(early.status().healthy()).isTrue();
            }
            try (Subscription early = reader("early", database)
                            .upcasters(upcasters)
                            .on("customer.renamed.v2", CustomerRenamed.class, support::renamed)
                            .start();
                    Subscription caughtUp = reader("late", database)
                            .upcasters(upcasters)
                            .on("customer.renamed.v2", CustomerRenamed.class, ConcertinaIT::newRenamed)
                            .start()) {
                awaitNames("Ada L.", "Ada L.");
                // An instance of the writer that is not replaced yet
                rename(announcements, "v1", "\"name\": \"Ada K.\"");
                rename(announcements, "v2", "\"newName\": \"Ada King\"");
                awaitNames("Ada King", "Ada King");
                assertThat(List.of(early.status().healthy(), caughtUp.status().healthy()))
                        .containsOnly(true);
            }
            assertThat(value("SELECT sequence || ' ' || times_applied FROM customer"))
                    .isEqualTo("5 5");
            assertThat(value("SELECT count(*) FROM tributary.parked_event")).isEqualTo("0");
        }
    }

    private HikariDataSource database() {
        HikariDataSource database = new HikariDataSource();
        database.setJdbcUrl(getProperties().get("datasources.default.url"));
        database.setUsername(LocalPostgres.USER);
        database.setPassword(LocalPostgres.PASSWORD);
        return database;
    }

    private Subscription.Builder reader(String name, HikariDataSource database) {
        return Subscription.builder(name + "-" + source)
                .kafka(Map.of("bootstrap.servers", KAFKA.bootstrapServers()))
                .dataSource(database)
                .topics(source + ".customer");
    }

    private void rename(Announcements announcements, String version, String fields) throws Exception {
        sent++;
        announcements.send(
                source, sent, "customer/" + CUSTOMER, sent, "customer.renamed." + version, "{" + ID + fields + "}");
    }

    private static void oldRenamed(Event<OldRenamed> event, Connection connection) throws SQLException {
        keep(event.payload().customerId(), event.payload().name(), connection);
    }

    private static void newRenamed(Event<CustomerRenamed> event, Connection connection) throws SQLException {
        keep(event.payload().customerId(), event.payload().newName(), connection);
    }

    private static void keep(UUID customer, String name, Connection connection) throws SQLException {
        try (var upsert = connection.prepareStatement("INSERT INTO late_reader VALUES (?, ?)"
                + " ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name")) {
            upsert.setObject(1, customer);
            upsert.setString(2, name);
            upsert.executeUpdate();
        }
    }

    private void awaitNames(String early, String late) {
        eventually(() -> assertThat(value("SELECT name FROM customer")).isEqualTo(early));
        eventually(() -> assertThat(value("SELECT name FROM late_reader")).isEqualTo(late));
    }

    private static void eventually(ThrowingRunnable assertion) {
        await().ignoreExceptions().untilAsserted(assertion);
    }
}

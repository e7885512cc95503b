package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.LocalPostgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said to be one round trip, counted between client and server. */
class RoundTripsTest {
    private static final EventTypes TYPES =
            EventTypes.builder().register("state", 1, State.class).build();
    private static final Outbox OUTBOX = Outbox.of(TYPES);
    private static final EventStore STORE = EventStore.of(TYPES);
    private static TestDatabase database;

    private RoundTrips roundTrips;
    private Connection connection;

    record State(int number) {}

    @BeforeAll
    static void createDatabase() throws SQLException {
        database = TestDatabase.withTables();
    }

    @BeforeEach
    void connect() throws Exception {
        database.clear();
        roundTrips = new RoundTrips();
        connection =
                DriverManager.getConnection(roundTrips.url(database.url()), LocalPostgres.USER, LocalPostgres.PASSWORD);
        connection.setAutoCommit(false);
        // As a business row would: the driver sends BEGIN ahead of it, in the same packet, but it is answered by itself
        TestDatabase.texts(connection, "SELECT 1");
    }

    @AfterEach
    void disconnect() throws Exception {
        connection.close();
        roundTrips.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, WriteFew.EVENTS_MAX, WriteFew.EVENTS_MAX + 1, 1_000})
    void publishingIsOneRoundTripWhateverTheNumberOfEvents(int events) throws SQLException {
        publish(events, i -> event("a").unsequenced());
        publish(events, i -> event("a"));
        publish(events, i -> i == 0 ? event("a").expectingSequence(events + 1) : event("a"));
        publish(events, i -> i == 0 ? event("b").expectingSequence(1) : event("b"));
        publish(events, i -> event("c" + i % 7));
        publish(events, i -> i % 2 == 0 ? event("d") : event("d").unsequenced());
        connection.commit();
        assertThat(database.text("SELECT count(*) FROM tributary.outbox")).isEqualTo(Integer.toString(6 * events));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, WriteFew.EVENTS_MAX, WriteFew.EVENTS_MAX + 1, 1_000})
    void appendingIsOneRoundTripWhateverTheNumberOfEvents(int events) throws SQLException {
        List<NewEvent> some = events(events, i -> event("a"));
        assertOneRoundTrip(() -> STORE.append(connection, 0, some));
        assertOneRoundTrip(() -> STORE.append(connection, events, some));
        assertOneRoundTrip(() -> STORE.append(connection, some));
        assertOneRoundTrip(
                () -> STORE.append(connection, 3L * events, some, new NewSnapshot("state.v1", new State(4 * events))));
        connection.commit();
        assertThat(database.text("SELECT count(*) FROM tributary.event_store")).isEqualTo(Integer.toString(4 * events));
    }

    @Test
    void aConflictCostsAtMostOneMore() throws SQLException {
        STORE.append(connection, List.of(event("a"), event("a")));
        int before = roundTrips.count();
        assertThat(STORE.append(connection, 1, List.of(event("a"))))
                .isEqualTo(new AppendResult.Conflict("order", "a", 1, 2));
        assertThat(roundTrips.count() - before).isEqualTo(2);
    }

    private void publish(int count, IntFunction<NewEvent> event) throws SQLException {
        List<NewEvent> events = events(count, event);
        assertOneRoundTrip(() -> assertThat(OUTBOX.publish(connection, events)).hasSize(count));
    }

    private interface Call {
        void run() throws SQLException;
    }

    private void assertOneRoundTrip(Call call) throws SQLException {
        int before = roundTrips.count();
        call.run();
        assertThat(roundTrips.count() - before).isEqualTo(1);
    }

    private static List<NewEvent> events(int count, IntFunction<NewEvent> event) {
        return IntStream.range(0, count).mapToObj(event).toList();
    }

    private static NewEvent event(String id) {
        return NewEvent.raw("order", id, "order.placed.v1", "application/json", "{}".getBytes(StandardCharsets.UTF_8));
    }
}

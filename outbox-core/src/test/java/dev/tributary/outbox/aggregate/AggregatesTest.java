package dev.tributary.outbox.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.localstack.LocalPostgres;
import dev.tributary.outbox.EventRejectedException;
import dev.tributary.outbox.EventStore;
import dev.tributary.outbox.EventTypes;
import dev.tributary.outbox.Fold.Snapshots;
import dev.tributary.outbox.Loaded;
import dev.tributary.outbox.NewEvent;
import dev.tributary.outbox.Outbox;
import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.OutboxSchema;
import dev.tributary.outbox.aggregate.AggregatesTest.Command.Deposit;
import dev.tributary.outbox.aggregate.AggregatesTest.Command.Withdraw;
import dev.tributary.outbox.aggregate.AggregatesTest.Happened.Deposited;
import dev.tributary.outbox.aggregate.AggregatesTest.Happened.Overdrawn;
import dev.tributary.outbox.aggregate.AggregatesTest.Happened.Withdrawn;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class AggregatesTest {
    sealed interface Command {
        record Deposit(long amount) implements Command {}

        record Withdraw(long amount) implements Command {}
    }

    sealed interface Happened {
        record Deposited(long amount) implements Happened {}

        record Withdrawn(long amount) implements Happened {}

        record Overdrawn() implements Happened {}
    }

    record Account(long balance) {}

    record Stranger() {}

    private static final class Accounts implements Decider<Command, Account, Happened> {
        @Override
        public Account initial() {
            return new Account(0);
        }

        @Override
        public List<Happened> decide(Command command, Account account) {
            if (command instanceof Deposit deposit) {
                return deposit.amount() == 0 ? List.of() : List.of(new Deposited(deposit.amount()));
            }
            long amount = ((Withdraw) command).amount();
            if (amount > account.balance() + 100) {
                throw new IllegalStateException("only " + account.balance());
            }
            Withdrawn withdrawn = new Withdrawn(amount);
            return amount > account.balance() ? List.of(withdrawn, new Overdrawn()) : List.of(withdrawn);
        }

        @Override
        public Account evolve(Account account, Happened event) {
            if (event instanceof Deposited deposited) {
                return new Account(account.balance() + deposited.amount());
            }
            return event instanceof Withdrawn withdrawn ? new Account(account.balance() - withdrawn.amount()) : account;
        }
    }

    private static final EventStore STORE = EventStore.of(EventTypes.builder()
            .register("account.deposited", 1, Deposited.class)
            .register("account.withdrawn", 1, Withdrawn.class)
            .register("account.overdrawn", 1, Overdrawn.class)
            .register("stranger", 1, Stranger.class)
            .build());
    private static final Aggregates<Command, Account, Happened> ACCOUNTS =
            Aggregates.of(STORE, "account", Happened.class, new Accounts());
    private static String url;

    @BeforeAll
    static void createDatabase() throws SQLException {
        url = LocalPostgres.shared().createDatabase("aggregates");
        try (Connection connection = transaction()) {
            OutboxSchema.apply(connection);
            connection.commit();
        }
    }

    private static Connection transaction() throws SQLException {
        Connection connection = DriverManager.getConnection(url, LocalPostgres.USER, LocalPostgres.PASSWORD);
        connection.setAutoCommit(false);
        return connection;
    }

    @Test
    void anAggregateWhoseLastEventsAreElsewhereIsNamed() throws SQLException {
        try (Connection connection = transaction()) {
            ACCOUNTS.handle(connection, "split", new Deposit(10));
            Outbox.of(EventTypes.builder()
                            .register("account.deposited", 1, Deposited.class)
                            .build())
                    .publish(connection, NewEvent.of("account", "split", new Deposited(5)));
            assertThatThrownBy(() -> ACCOUNTS.handle(connection, "split", new Deposit(1)))
                    .isInstanceOf(OutboxException.class)
                    .hasMessageContaining(
                            "account/split is at number 2, but its events in tributary.event_store end before")
                    .hasMessageContaining("published through the outbox");
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void aDeciderThatSaysNothingAtAllIsTold() throws SQLException {
        Decider<Command, Account, Happened> forgetful = new Decider<>() {
            @Override
            public Account initial() {
                return new Account(0);
            }

            @Override
            public List<Happened> decide(Command command, Account account) {
                return null;
            }

            @Override
            public Account evolve(Account account, Happened event) {
                return account;
            }
        };
        try (Connection connection = transaction()) {
            assertThatThrownBy(() -> Aggregates.of(STORE, "account", Happened.class, forgetful)
                            .handle(connection, "a", new Deposit(1)))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("what account/a decided on a Deposit is null: return an empty list");
        }
    }

    @Test
    void commandsLeadToEventsAndEventsToTheState() throws SQLException {
        try (Connection connection = transaction()) {
            assertThat(ACCOUNTS.load(connection, "a")).isEqualTo(new Loaded<>(new Account(0), 0, 0));
            ACCOUNTS.handle(connection, "a", new Deposit(10));
            Decision<Account> decision =
                    ACCOUNTS.handle(connection, "a", new Withdraw(30), event -> event.correlationId("c-1"));
            assertThat(decision.state()).isEqualTo(new Account(-20));
            assertThat(decision.sequence()).isEqualTo(3);
            assertThat(decision.eventIds()).hasSize(2);
            assertThat(ACCOUNTS.load(connection, "a")).isEqualTo(new Loaded<>(new Account(-20), 3, 0));
            assertThat(STORE.load(connection, "account", "a", 2).get(0).headers())
                    .containsEntry("ce_correlationid", "c-1");

            assertThat(ACCOUNTS.handle(connection, "a", new Deposit(0)))
                    .isEqualTo(new Decision<>(new Account(-20), 3, List.of()));
            assertThatThrownBy(() -> ACCOUNTS.handle(connection, "a", new Withdraw(1_000)))
                    .hasMessage("only -20");
            assertThat(ACCOUNTS.handle(connection, "a", new Deposit(20)).sequence())
                    .isEqualTo(4);
        }
    }

    @Test
    void snapshotsAreTakenByThePolicyAndLoadingBeginsWithThem() throws SQLException {
        Aggregates<Command, Account, Happened> quick =
                ACCOUNTS.withSnapshots(new Snapshots<>("account.v1", Account.class), SnapshotPolicy.every(3));
        try (Connection connection = transaction()) {
            List<Long> snapshots = new ArrayList<>();
            for (int i = 1; i <= 8; i++) {
                assertThat(quick.handle(connection, "s", new Deposit(1)).state())
                        .isEqualTo(new Account(i));
                snapshots.add(quick.load(connection, "s").snapshotSequence());
            }
            assertThat(snapshots).containsExactly(0L, 0L, 3L, 3L, 3L, 6L, 6L, 6L);
            assertThat(quick.load(connection, "s")).isEqualTo(new Loaded<>(new Account(8), 8, 6));
            assertThat(ACCOUNTS.load(connection, "s")).isEqualTo(new Loaded<>(new Account(8), 8, 0));

            Aggregates<Command, Account, Happened> changed =
                    ACCOUNTS.withSnapshots(new Snapshots<>("account.v2", Account.class), SnapshotPolicy.every(3));
            assertThat(changed.load(connection, "s").snapshotSequence()).isZero();
            changed.handle(connection, "s", new Deposit(1));
            assertThat(changed.load(connection, "s")).isEqualTo(new Loaded<>(new Account(9), 9, 9));
        }
    }

    /** Each decides on what the one before has left: no deposit is lost, and nobody has to try again. */
    @Test
    void writersOfOneAggregateQueueUp() throws Exception {
        int writers = 8;
        int each = 25;
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int writer = 0; writer < writers; writer++) {
            all.add(CompletableFuture.runAsync(() -> {
                try (Connection connection = transaction()) {
                    for (int i = 0; i < each; i++) {
                        ACCOUNTS.handle(connection, "hot", new Deposit(1));
                        connection.commit();
                    }
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            }));
        }
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
        try (Connection connection = transaction()) {
            long total = (long) writers * each;
            assertThat(ACCOUNTS.load(connection, "hot")).isEqualTo(new Loaded<>(new Account(total), total, 0));
            try (ResultSet head = connection
                    .createStatement()
                    .executeQuery("SELECT sequence FROM tributary.aggregate WHERE aggregate_id = 'hot'")) {
                head.next();
                assertThat(head.getLong(1)).isEqualTo(total);
            }
        }
    }

    @Test
    void anEventOfAnotherKindIsNamed() throws SQLException {
        try (Connection connection = transaction()) {
            STORE.append(connection, List.of(NewEvent.of("account", "x", new Stranger())));
            assertThatThrownBy(() -> ACCOUNTS.load(connection, "x"))
                    .isInstanceOf(EventRejectedException.class)
                    .hasMessageContaining("event 1 of account/x is a stranger.v1, which is no Happened");
        }
    }
}

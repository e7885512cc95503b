package dev.tributary.relay.setup;

import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a source's database lacks, and the SQL that creates it: schema, publication, slot, in this order, since a slot
 * cannot decode what was written before its publication existed. Never alters or drops what is there.
 */
public final class Preparation {
    private static final String LOCK_PATIENCE = "SET LOCAL lock_timeout = '10s';";
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final Duration TURN_PATIENCE = Duration.ofSeconds(50);
    private static final Duration OPEN_TRANSACTION_PATIENCE = Duration.ofSeconds(30);

    /**
     * One thing to create.
     *
     * @param title what it creates, in a few words
     * @param sql one or more statements
     */
    record Step(String title, String sql) {}

    private final SourceConfig source;
    private final boolean leaveEvents;
    private final boolean roles;
    private final int serverMajorVersion;
    private final List<Step> transaction;
    private final @Nullable Step slot;

    private Preparation(
            SourceConfig source,
            boolean leaveEvents,
            boolean roles,
            int serverMajorVersion,
            List<Step> transaction,
            @Nullable Step slot) {
        this.source = source;
        this.leaveEvents = leaveEvents;
        this.roles = roles;
        this.serverMajorVersion = serverMajorVersion;
        this.transaction = transaction;
        this.slot = slot;
    }

    /** As {@link #of(SourceConfig, boolean, boolean)}, leaving no events behind, without roles. */
    public static Preparation of(SourceConfig source) {
        return of(source, false, false);
    }

    /**
     * Looks at the database and changes nothing.
     *
     * @param leaveEvents whether a slot may be created though there are events already, which it will never see
     * @param roles whether the roles for writers, readers and the relay are wanted, too
     * @throws SetupException if it cannot be reached, or has something of these names that is not usable
     */
    public static Preparation of(SourceConfig source, boolean leaveEvents, boolean roles) {
        try (Connection connection = Database.connect(source)) {
            return plan(connection, source, leaveEvents, roles);
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("connection", source, e)));
        }
    }

    private static Preparation plan(Connection connection, SourceConfig source, boolean leaveEvents, boolean roles)
            throws SQLException {
        int version = Server.majorVersion(connection);
        if (version < Server.MAJOR_VERSION_MIN) {
            throw new SetupException(List.of(Server.tooOld(version)));
        }
        Publication publication = Publication.read(connection, source.publication());
        Slot slot = Slot.read(connection, source.slot());
        refuseUnusable(source, connection.getCatalog(), publication, slot);

        List<Step> transaction = new ArrayList<>();
        if (!source.layout().isOwn()) {
            refuseMissingTable(connection, source);
        } else if (!OutboxObjects.missing(connection).isEmpty()) {
            transaction.add(new Step("schema tributary", String.join("\n", OutboxSchema.scripts())));
        }
        if (roles) {
            refuseRolesForOtherTables(source);
            if (Roles.lack(connection)) {
                transaction.add(new Step("roles " + String.join(", ", Roles.NAMES), OutboxSchema.roles()));
            }
        }
        if (publication == null) {
            transaction.add(new Step("publication " + source.publication(), Publication.createSql(source)));
        }
        if (slot == null && !leaveEvents) {
            refuseToLeaveEvents(connection, source.layout()); // before anything is created, if that can be told by now
        }
        Step slotStep = slot == null ? new Step("slot " + source.slot(), Slot.createSql(source, version)) : null;
        return new Preparation(source, leaveEvents, roles, version, transaction, slotStep);
    }

    /** The service's own table is the service's to create. */
    private static void refuseMissingTable(Connection connection, SourceConfig source) throws SQLException {
        refuseFailures(EventTables.findings(connection, source));
    }

    private static void refuseFailures(List<Finding> findings) {
        List<Finding> failures = findings.stream().filter(Finding::isFailure).toList();
        if (!failures.isEmpty()) {
            throw new SetupException(failures);
        }
    }

    private static void refuseRolesForOtherTables(SourceConfig source) {
        if (!source.layout().isOwn()) {
            throw new SetupException(List.of(Finding.failed(
                    "roles",
                    "--roles is about Tributary's own tables, and source " + source.name() + " has another layout",
                    "Grant rights on your outbox table yourself, and leave out --roles")));
        }
    }

    private static void refuseToLeaveEvents(Connection connection, OutboxLayout layout) throws SQLException {
        for (String table : layout.tables()) {
            String sql = OutboxLayout.sql(table);
            boolean there = !Database.texts(connection, "SELECT 'there' WHERE to_regclass(?) IS NOT NULL", sql)
                    .isEmpty();
            if (there
                    && !Database.texts(connection, "SELECT 'rows' WHERE EXISTS (SELECT FROM " + sql + ")")
                            .isEmpty()) {
                throw new SetupException(List.of(Finding.failed(
                        "slot",
                        table + " holds events, and a slot that is created now sees only later ones: those that no"
                                + " slot has passed on before would never be relayed",
                        "If readers do not need them, or have them, run 'relay init --leave-events'")));
            }
        }
    }

    private static void refuseUnusable(
            SourceConfig source, String database, @Nullable Publication publication, @Nullable Slot slot) {
        List<Finding> findings = new ArrayList<>();
        if (publication != null) {
            findings.addAll(publication.findings(source));
        }
        if (slot != null) {
            // A running relay reads the slot while others repeat init: no reason to refuse
            findings.addAll(slot.findings(source, database, true));
        }
        if (publication == null && slot != null) {
            findings.add(Finding.failed(
                    "publication",
                    source.publication() + " is missing while slot " + source.slot()
                            + " exists: events written since it was dropped cannot be read through that slot",
                    "To go on from now, without events not relayed yet: " + Slot.dropSql(source)
                            + ", then run 'relay init' again"));
        }
        refuseFailures(findings);
    }

    /** What is to be created, in words; empty if nothing is missing. */
    public List<String> titles() {
        return steps().stream().map(Step::title).toList();
    }

    /** SQL that psql runs as it stands; comments only, if nothing is missing. */
    public String sql() {
        StringBuilder sql = new StringBuilder("-- source " + source.name() + ", " + source.displayUrl() + "\n");
        if (steps().isEmpty()) {
            sql.append("-- nothing is missing\n");
        }
        if (!transaction.isEmpty()) {
            sql.append("BEGIN;\n");
            transaction.forEach(step -> append(sql, step));
            sql.append("COMMIT;\n");
        }
        if (slot != null) {
            append(sql, slot);
        }
        return sql.toString();
    }

    private static void append(StringBuilder sql, Step step) {
        sql.append("-- ")
                .append(step.title())
                .append('\n')
                .append(step.sql().strip())
                .append('\n');
    }

    /**
     * Creates it. Others may do so at the same time: one after the other, and the first creates everything.
     *
     * @return what was created, in words
     * @throws SetupException if the database refuses; the schema and the publication are created both or neither. If the
     *     slot would leave events behind that committed meanwhile, there is no slot
     */
    public List<String> run() {
        return run(OPEN_TRANSACTION_PATIENCE);
    }

    List<String> run(Duration openTransactionPatience) {
        if (steps().isEmpty()) {
            return List.of();
        }
        try (Connection connection = Database.connect(source)) {
            awaitTurn(connection);
            Preparation lacking = plan(connection, source, leaveEvents, roles);
            lacking.createTables(connection);
            if (lacking.slot != null) {
                lacking.createSlot(openTransactionPatience);
            }
            return lacking.titles();
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("init", source, e)));
        }
    }

    /** Ends with the connection. */
    private void awaitTurn(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = " + TURN_PATIENCE.toMillis());
            statement.execute("SELECT pg_advisory_lock(hashtext('tributary init'))");
        } catch (SQLException e) {
            if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                throw e;
            }
            throw new SetupException(List.of(Finding.failed(
                    "init", "another 'relay init' has been at work for a while", "Run this again when it has ended")));
        }
    }

    private void createTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute(LOCK_PATIENCE);
            for (Step step : transaction) {
                statement.execute(step.sql());
            }
            connection.commit();
        }
    }

    private void createSlot(Duration openTransactionPatience) throws SQLException {
        try (SlotCreation creation = new SlotCreation(source)) {
            String snapshot = creation.begin(openTransactionPatience);
            if (!leaveEvents) {
                try (Connection then = Database.connect(source);
                        Statement statement = then.createStatement()) {
                    then.setAutoCommit(false);
                    then.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                    statement.execute("SET TRANSACTION SNAPSHOT '" + snapshot + "'");
                    refuseToLeaveEvents(then, source.layout());
                }
            }
            creation.keep(serverMajorVersion);
        }
    }

    private List<Step> steps() {
        List<Step> steps = new ArrayList<>(transaction);
        if (slot != null) {
            steps.add(slot);
        }
        return steps;
    }
}

package dev.tributary.relay.setup;

import dev.tributary.outbox.OutboxSchema;
import dev.tributary.relay.config.OutboxLayout;
import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a source's database lacks, and the SQL that creates it: schema, publication, slot, in this order, since a slot
 * cannot decode what was written before its publication existed. Never alters or drops what is there.
 */
public final class Preparation {
    private static final String LOCK_PATIENCE = "SET LOCAL lock_timeout = '10s';";

    /**
     * One thing to create.
     *
     * @param title what it creates, in a few words
     * @param sql one or more statements
     */
    record Step(String title, String sql) {}

    private final SourceConfig source;
    private final List<Step> transaction;
    private final @Nullable Step slot;

    private Preparation(SourceConfig source, List<Step> transaction, @Nullable Step slot) {
        this.source = source;
        this.transaction = transaction;
        this.slot = slot;
    }

    /** As {@link #of(SourceConfig, boolean)}, leaving no events behind. */
    public static Preparation of(SourceConfig source) {
        return of(source, false);
    }

    /**
     * Looks at the database and changes nothing.
     *
     * @param leaveEvents whether a slot may be created though there are events already, which it will never see
     * @throws SetupException if it cannot be reached, or has something of these names that is not usable
     */
    public static Preparation of(SourceConfig source, boolean leaveEvents) {
        try (Connection connection = Database.connect(source)) {
            Preparation preparation = plan(connection, source);
            if (preparation.slot != null && !leaveEvents) {
                refuseToLeaveEvents(connection, source.layout());
            }
            return preparation;
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("connection", source, e)));
        }
    }

    private static Preparation plan(Connection connection, SourceConfig source) throws SQLException {
        int version = Server.majorVersion(connection);
        if (version < Server.MAJOR_VERSION_MIN) {
            throw new SetupException(List.of(Finding.failed(
                    "server",
                    "PostgreSQL " + version + " is too old",
                    "Upgrade it to " + Server.MAJOR_VERSION_MIN + " or later")));
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
        if (publication == null) {
            transaction.add(new Step("publication " + source.publication(), Publication.createSql(source)));
        }
        Step slotStep = slot == null ? new Step("slot " + source.slot(), Slot.createSql(source, version)) : null;
        return new Preparation(source, transaction, slotStep);
    }

    /** The service's own table is the service's to create. */
    private static void refuseMissingTable(Connection connection, SourceConfig source) throws SQLException {
        List<Finding> failures = EventTables.findings(connection, source).stream()
                .filter(Finding::isFailure)
                .toList();
        if (!failures.isEmpty()) {
            throw new SetupException(failures);
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
        List<Finding> failures = findings.stream().filter(Finding::isFailure).toList();
        if (!failures.isEmpty()) {
            throw new SetupException(failures);
        }
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
     * Creates it.
     *
     * @throws SetupException if the database refuses; the schema and the publication are created both or neither
     */
    public void run() {
        try (Connection connection = Database.connect(source);
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute(LOCK_PATIENCE);
            for (Step step : transaction) {
                statement.execute(step.sql());
            }
            connection.commit();
            // A slot cannot be created in a transaction that has written
            connection.setAutoCommit(true);
            if (slot != null) {
                statement.execute(slot.sql());
            }
        } catch (SQLException e) {
            throw new SetupException(List.of(SqlProblem.of("init", source, e)));
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

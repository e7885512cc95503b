package dev.tributary.relay.setup;

import dev.tributary.relay.config.SourceConfig;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Looks at everything the relay needs of a source's database, changes nothing, and reports all findings at once. */
public final class Preflight {
    private Preflight() {}

    /**
     * All findings, good ones too.
     *
     * @param readByOurRelay whether this configuration's relay runs and streams the source: then its slot is in use
     *     rightly
     */
    public static List<Finding> of(SourceConfig source, boolean readByOurRelay) {
        List<Finding> findings = new ArrayList<>();
        try (Connection connection = Database.connect(source)) {
            findings.add(Finding.ok("connection", "role '" + source.username() + "' is let in"));
            look(connection, source, readByOurRelay, findings);
        } catch (SQLException e) {
            findings.add(SqlProblem.of("connection", source, e));
        }
        return findings;
    }

    private static void look(Connection connection, SourceConfig source, boolean readByOurRelay, List<Finding> findings)
            throws SQLException {
        int version = Server.majorVersion(connection);
        if (version < Server.MAJOR_VERSION_MIN) {
            findings.add(Server.tooOld(version));
            return;
        }
        Slot slot = Slot.read(connection, source.slot());
        findings.addAll(Server.findings(connection, slot != null));
        findings.addAll(SlotRisks.findings(connection, source));
        if (!readByOurRelay) {
            findings.add(Server.replication(source));
        }
        findings.add(Server.statistics(connection));
        if (source.engine() == SourceConfig.Engine.DEBEZIUM) {
            findings.add(Server.messages(connection));
        }
        findings.addAll(EventTables.findings(connection, source));
        if (source.layout().isOwn()) {
            findings.addAll(OutboxSize.findings(connection, source));
        }
        Publication publication = Publication.read(connection, source.publication());
        if (publication == null) {
            findings.add(Finding.failed("publication", source.publication() + " does not exist", "Run 'relay init'"));
        } else {
            findings.addAll(publication.findings(source));
        }
        if (slot == null) {
            findings.add(Finding.failed("slot", source.slot() + " does not exist", "Run 'relay init'"));
        } else {
            findings.addAll(slot.findings(source, connection.getCatalog(), readByOurRelay));
        }
        findings.add(Finding.ok("topics", source.topic().replace("${source}", source.name())));
    }
}

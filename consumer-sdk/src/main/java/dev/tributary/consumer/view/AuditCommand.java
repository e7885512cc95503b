package dev.tributary.consumer.view;

import dev.tributary.consumer.SubscriptionException;
import java.io.PrintStream;
import java.sql.SQLException;
import java.util.List;

/**
 * An audit as a command of a service: {@code java -jar service.jar audit [--repair]}. Immutable.
 *
 * @param version the live one
 */
public record AuditCommand(Audit audit, ViewVersion version) {
    /** Exit code: the view is what its events make of it, or is so now. */
    public static final int SAME = 0;

    /** Exit code: it is not. */
    public static final int DRIFT = 1;

    /** Exit code: wrong arguments, or it could not be found out. */
    public static final int TROUBLE = 2;

    private static final String REPAIR = "--repair";

    /**
     * Runs it.
     *
     * @param out where the report goes
     * @param arguments none, or {@code --repair}
     * @return the exit code
     */
    public int run(PrintStream out, String... arguments) {
        List<String> given = List.of(arguments);
        if (!given.isEmpty() && !given.equals(List.of(REPAIR))) {
            out.println("usage: [" + REPAIR + "]; exit code " + SAME + ": no difference, " + DRIFT + ": rows differ, "
                    + TROUBLE + ": it could not be found out");
            return TROUBLE;
        }
        try {
            return given.isEmpty() ? compare(out) : repair(out);
        } catch (SQLException | SubscriptionException e) {
            out.println("the audit could not be done: " + e.getMessage());
            return TROUBLE;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            out.println("the audit was interrupted");
            return TROUBLE;
        }
    }

    private int compare(PrintStream out) throws SQLException, InterruptedException {
        AuditReport report = audit.run(version);
        out.println(report.text());
        return report.clean() ? SAME : DRIFT;
    }

    private int repair(PrintStream out) throws SQLException, InterruptedException {
        RepairReport report = audit.repair(version);
        out.println(report.audit().text());
        if (!report.refused().isEmpty()) {
            out.println("nothing was repaired: " + report.refused());
            return DRIFT;
        }
        out.println("repaired " + report.repaired().size() + " rows; " + report.healed()
                + " had become right meanwhile; see tributary.view_repair");
        return SAME;
    }
}

package dev.tributary.consumer;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** What JDBC leaves to its users. */
final class Databases {
    private Databases() {}

    /**
     * Makes the connection fail when one answer takes longer, so that a database that vanished without a word does not
     * hold its caller for the minutes that TCP takes to notice. A pool undoes it when it gets the connection back.
     */
    static void limitAnswerTime(Connection connection, Duration max) throws SQLException {
        int millis = (int) Math.min(Integer.MAX_VALUE, max.toMillis());
        int now = connection.getNetworkTimeout();
        if (millis > 0 && (now == 0 || now > millis)) {
            connection.setNetworkTimeout(Runnable::run, millis);
        }
    }
}

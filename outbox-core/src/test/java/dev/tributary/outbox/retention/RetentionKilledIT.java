package dev.tributary.outbox.retention;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Its connection ends behind each of the changes that it makes, without telling whether that was done. */
class RetentionKilledIT {
    private static final RetentionSettings SETTINGS =
            new RetentionSettings(Duration.ofHours(3), Duration.ofHours(1), 2, Duration.ofSeconds(20));
    private static final Pattern CHANGE = Pattern.compile("DO|INSERT|UPDATE|DELETE");

    /** With every life it gets some changes further; what it leaves is gone on with by the next. */
    @Test
    void whateverChangeItsConnectionEndsAtNothingIsLeftBehindAndTheNextGoesOn() throws SQLException {
        try (RetentionBed bed = RetentionBed.create()) {
            int max = 1;
            while (diesAt(bed, max)) {
                max += 2;
            }
            assertThat(max).as("two turns in which all steps are taken").isGreaterThan(12);
        }
    }

    /** False if it has done all that it had to before. */
    private static boolean diesAt(RetentionBed bed, int max) throws SQLException {
        prepareEveryStep(bed);
        AtomicInteger done = new AtomicInteger();
        boolean lived = lives(bed.start(SETTINGS, () -> mortal(bed.connect(), done, max)));
        bed.awaitNoOthers();
        int rows = bed.rows();
        bed.write(); // into the current partition, or the default one
        assertThat(bed.rows()).isEqualTo(rows + 1);
        assertThat(bed.text("SELECT count(*) FROM tributary.outbox_partition p WHERE detached = EXISTS (SELECT FROM"
                        + " pg_inherits WHERE inhrelid = to_regclass('tributary.' || p.name))"))
                .as("the registry says what is so, after change " + max)
                .isEqualTo("0");
        try (OutboxRetention next = bed.start(SETTINGS)) {
            for (int i = 0; i < 5; i++) {
                bed.hours(4);
                next.turn();
                bed.confirm();
            }
            assertThat(next.turn().trouble()).as("after change " + max).isEmpty();
        }
        assertThat(bed.rows()).as("after change " + max).isLessThanOrEqualTo(2);
        return !lived;
    }

    /** Partitions are lacking; one is to be sealed, one to be detached, one to be dropped. */
    private static void prepareEveryStep(RetentionBed bed) throws SQLException {
        try (OutboxRetention healthy = bed.start(SETTINGS)) {
            healthy.turn();
            for (int hour = 0; hour < 2; hour++) {
                bed.write();
                bed.hours(1);
                healthy.turn();
                healthy.turn();
            }
            bed.confirm();
            healthy.turn();
            bed.watched();
            healthy.turn(); // detaches what is old enough, and what that has written is not confirmed
        }
        bed.confirm();
        bed.write();
        bed.hours(4);
        bed.watched();
    }

    private static boolean lives(OutboxRetention mortal) throws SQLException {
        try {
            mortal.turn();
            mortal.turn();
            mortal.close();
            return true;
        } catch (SQLException | RuntimeException e) {
            return false;
        }
    }

    private static boolean isChange(String method, Object[] sql) {
        return method.startsWith("execute")
                && CHANGE.matcher(String.valueOf(sql[0])).lookingAt();
    }

    /** One that ends when so many changes are done, and does not tell. */
    private static Connection mortal(Connection connection, AtomicInteger done, int max) {
        return (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    Object result = invoke(connection, method, arguments);
                    return result instanceof Statement statement
                            ? Proxy.newProxyInstance(
                                    Statement.class.getClassLoader(),
                                    new Class<?>[] {Statement.class},
                                    (p, executed, sql) -> {
                                        Object answer = invoke(statement, executed, sql);
                                        if (isChange(executed.getName(), sql) && done.incrementAndGet() == max) {
                                            connection.abort(Runnable::run);
                                            throw new SQLException("this is the end");
                                        }
                                        return answer;
                                    })
                            : result;
                });
    }

    private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection breaks while committing, and the subscription cannot know whether the database has committed. */
class UnknownCommitIT {
    private final AtomicBoolean handled = new AtomicBoolean();

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void eventsAreAppliedOnceWhetherItHasCommittedOrNot(boolean hasCommitted) {
        try (SubscriptionBed bed = new SubscriptionBed()) {
            Subscription subscription = bed.start(bed.bare()
                    .dataSource(breakingTheFirstBatchsCommit(bed.view.dataSource(), hasCommitted))
                    .on(Added.TYPE, Added.class, (event, connection) -> {
                        ViewDatabase.apply(event, connection);
                        handled.set(true);
                    }));
            bed.topic.send(bed.topic.added("a", 1));
            eventually(
                    () -> assertThat(subscription.status().totals().retries()).isPositive());
            bed.topic.send(bed.topic.added("a", 2));
            bed.eventuallyApplied(2);
            assertThat(bed.view.totals()).isEqualTo(Map.of("a", 3L));
            assertThat(subscription.status().totals()).returns(0L, SubscriptionStatus.Counters::parked);
        }
    }

    private DataSource breakingTheFirstBatchsCommit(DataSource dataSource, boolean commitFirst) {
        AtomicBoolean broken = new AtomicBoolean();
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, args) -> {
                    Connection connection = dataSource.getConnection();
                    return Proxy.newProxyInstance(
                            getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, called, given) -> {
                                boolean breaks = called.getName().equals("commit")
                                        && handled.get()
                                        && broken.compareAndSet(false, true);
                                if (breaks && !commitFirst) {
                                    connection.abort(Runnable::run);
                                }
                                try {
                                    Object result = breaks && !commitFirst ? null : called.invoke(connection, given);
                                    if (breaks) {
                                        throw new SQLException("connection lost", "08006");
                                    }
                                    return result;
                                } catch (InvocationTargetException e) {
                                    throw e.getTargetException();
                                }
                            });
                });
    }
}

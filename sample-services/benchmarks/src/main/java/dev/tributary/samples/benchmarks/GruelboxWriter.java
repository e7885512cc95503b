package dev.tributary.samples.benchmarks;

import com.gruelbox.transactionoutbox.DefaultInvocationSerializer;
import com.gruelbox.transactionoutbox.DefaultPersistor;
import com.gruelbox.transactionoutbox.Dialect;
import com.gruelbox.transactionoutbox.Submitter;
import com.gruelbox.transactionoutbox.ThreadLocalContextTransactionManager;
import com.gruelbox.transactionoutbox.TransactionManager;
import com.gruelbox.transactionoutbox.TransactionOutbox;
import java.sql.SQLException;
import java.util.Set;
import javax.sql.DataSource;

/**
 * transaction-outbox with its own transaction manager: each event is a call that it writes down. It sends what a transaction
 * has written in one batch, and keeps no order.
 */
final class GruelboxWriter implements EventWriter {
    private static final Submitter NOBODY = (entry, process) -> {};

    private final ThreadLocalContextTransactionManager transactions;
    private final TransactionOutbox outbox;

    /** Whom it would call afterwards. */
    interface Publisher {
        void publish(OrderEvent event);
    }

    /** Creates its tables. */
    GruelboxWriter(DataSource pool) {
        transactions = TransactionManager.fromDataSource(pool);
        outbox = TransactionOutbox.builder()
                .transactionManager(transactions)
                .persistor(DefaultPersistor.builder()
                        .dialect(Dialect.POSTGRESQL_9)
                        .serializer(DefaultInvocationSerializer.builder()
                                .serializableTypes(Set.of(OrderEvent.class))
                                .build())
                        .build())
                .submitter(NOBODY)
                .build();
    }

    @Override
    public void write(WriteJob job) throws SQLException {
        transactions.<SQLException>inTransactionThrows(transaction -> {
            job.insertBusinessRow(transaction.connection());
            Publisher publisher = outbox.schedule(Publisher.class);
            job.events().forEach(publisher::publish);
        });
    }
}

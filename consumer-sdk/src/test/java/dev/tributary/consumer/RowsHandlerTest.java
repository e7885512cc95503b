package dev.tributary.consumer;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RowsHandlerTest {
    private static final String LOOK = "account.looked-at.v1";

    private final SubscriptionBed bed = new SubscriptionBed();

    @AfterEach
    void close() {
        bed.close();
    }

    private static Subscription.Builder rows(Subscription.Builder builder) {
        return builder.onRows(Added.TYPE, Added.class, (event, rows) -> rows.table("total")
                .key("aggregate_id", event.aggregateId())
                .increment("total", event.payload().amount())
                .set("last_sequence", event.sequence())
                .upsert());
    }

    /** Remembers the sum that it sees. */
    private static void look(Event<byte[]> event, Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet sum = statement.executeQuery("INSERT INTO applied (event_id, sequence)" + " SELECT '"
                        + event.id() + "', sum(total) FROM total RETURNING sequence")) {
            sum.next();
        }
    }

    @Test
    void plainHandlersSeeTheRowOperationsBeforeThem() {
        ProducerRecord<byte[], byte[]> first = bed.topic.event("sales", "a", LOOK, "{}");
        bed.topic.send(
                first,
                bed.topic.added("a", 1),
                bed.topic.added("b", 2),
                bed.topic.event("sales", "a", LOOK, "{}"),
                bed.topic.added("a", 10),
                bed.topic.event("sales", "b", LOOK, "{}"),
                bed.topic.added("b", 100));
        bed.start(rows(bed.bare()).on(LOOK, byte[].class, RowsHandlerTest::look));
        eventually(() -> assertThat(bed.view.totals()).containsEntry("b", 102L));
        assertThat(bed.view.strings("SELECT coalesce(sequence, 0) FROM applied ORDER BY n"))
                .containsExactly("0", "3", "13");
        assertThat(bed.view.totals()).containsEntry("a", 11L);
        assertThat(bed.view.strings("SELECT last_sequence FROM total ORDER BY aggregate_id"))
                .containsExactly("4", "3");
    }

    @Test
    void theEventWhoseOperationIsRefusedIsParkedAndTheOthersAreNot() {
        bed.view.execute("ALTER TABLE total ADD CHECK (total < 1000)");
        bed.topic.send(
                bed.topic.added("a", 1), bed.topic.added("b", 5_000), bed.topic.added("a", 2), bed.topic.added("b", 3));
        Subscription subscription = bed.start(rows(bed.bare()));
        eventually(() -> assertThat(subscription.status().totals().applied()).isEqualTo(2));
        eventually(() -> assertThat(subscription.status().totals().parked()).isEqualTo(2));
        assertThat(bed.view.totals()).containsOnly(java.util.Map.entry("a", 3L));
        List<String> errors = bed.view.strings("SELECT error FROM tributary.parked_event ORDER BY park_order");
        assertThat(errors.get(0)).contains("upsert on total (aggregate_id = b)", "total_total_check");
        assertThat(errors.get(1)).isNull();
    }
}

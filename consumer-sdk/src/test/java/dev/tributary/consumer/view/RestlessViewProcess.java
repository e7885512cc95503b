package dev.tributary.consumer.view;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.ViewDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** An instance to be killed and frozen, which applies, redrives, switches, retires and rebuilds without end. */
final class RestlessViewProcess {
    /** Longer than an instance may be silent before its partitions are others'. */
    static final Duration SESSION = Duration.ofMillis(1_500);

    private RestlessViewProcess() {}

    /** With both versions, whose handlers refuse some events while {@code public.refusing} has a row. */
    static View.Builder view(String name, String bootstrapServers, ViewDatabase database, String topic) {
        Map<String, Object> kafka = new HashMap<>(SubscriptionBed.kafkaSettings(bootstrapServers));
        kafka.put("session.timeout.ms", (int) SESSION.toMillis());
        return ViewBed.view(name, bootstrapServers, database, topic)
                .kafka(kafka)
                .version(Accounts.version(1, RestlessViewProcess::apply))
                .version(Accounts.version(2, RestlessViewProcess::apply));
    }

    private static void apply(Event<Added> event, Connection connection) throws SQLException {
        Accounts.apply(event, connection);
        if (event.payload().amount() % 211 == 5 && isRefusing(connection)) {
            throw new IllegalArgumentException("refused");
        }
    }

    private static boolean isRefusing(Connection connection) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("SELECT FROM public.refusing");
                ResultSet row = query.executeQuery()) {
            return row.next();
        }
    }

    /** Arguments: bootstrap servers, JDBC URL, view, topic, seed. */
    public static void main(String[] args) throws InterruptedException {
        Random random = new Random(Long.parseLong(args[4]));
        View view = view(args[2], args[0], ViewDatabase.at(args[1]), args[3]).start();
        while (true) {
            try {
                act(view, random);
            } catch (SubscriptionException | SQLException e) {
                System.out.println(e.getMessage());
            }
            Thread.sleep(random.nextInt(200));
        }
    }

    private static void act(View view, Random random) throws SQLException, InterruptedException {
        int version = 1 + random.nextInt(2);
        switch (random.nextInt(5)) {
            case 0, 1 -> {
                for (Subscription subscription : view.subscriptions()) {
                    subscription.parkedEvents().redriveAll();
                }
            }
            case 2 -> view.switchTo(version, Duration.ofMillis(500));
            case 3 -> view.retire(version);
            default -> view.rebuild(version);
        }
    }
}

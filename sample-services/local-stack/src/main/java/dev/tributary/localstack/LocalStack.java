package dev.tributary.localstack;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * The stack on its own, for a developer's work, until Ctrl-C:
 * {@code java -cp sample-services/demo/target/demo.jar dev.tributary.localstack.LocalStack [database...]}.
 */
public final class LocalStack {
    private LocalStack() {}

    /**
     * Starts both shared servers, side by side.
     *
     * @param databases created under exactly these names
     */
    public static void main(String[] databases) throws InterruptedException {
        for (String database : databases) {
            if (database.startsWith("-")) {
                System.err.println("There are no options; give names of databases to create, such as sales");
                System.exit(2);
            }
        }
        System.setProperty("logback.configurationFile", QuietLogging.LOGBACK);
        start();
        LocalPostgres postgres = LocalPostgres.shared();
        System.out.println("PostgreSQL  " + postgres.url("postgres"));
        for (String database : databases) {
            System.out.println("            " + postgres.createDatabaseNamed(database));
        }
        System.out.println("            user " + LocalPostgres.USER + ", password " + LocalPostgres.PASSWORD);
        System.out.println("Kafka       " + LocalKafka.shared().bootstrapServers());
        System.out.println("Both are empty, and gone with all their data at Ctrl-C.");
        new CountDownLatch(1).await();
    }

    /** Starts both shared servers, side by side, and returns once both serve clients. */
    public static void start() {
        CompletableFuture<LocalKafka> kafka = CompletableFuture.supplyAsync(LocalKafka::shared);
        LocalPostgres.shared();
        kafka.join();
    }
}

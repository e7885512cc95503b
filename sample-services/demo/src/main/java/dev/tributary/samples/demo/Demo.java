package dev.tributary.samples.demo;

import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import dev.tributary.samples.demo.Evidence.Orders;
import java.io.IOException;
import java.io.PrintStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Orders at sales become rows in support's view, whatever goes wrong in between; and a verdict whether they all did. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = "Starts PostgreSQL, Kafka, the relay and three services, drives orders through them, kills and"
                + " restarts parts meanwhile, and judges what came of it. Exit code 0 only if nothing was lost, doubled"
                + " or out of order.")
public final class Demo implements Callable<Integer> {
    private static final Duration SETTLE_MAX = Duration.ofSeconds(45);

    private final PrintStream out = System.out;

    @Option(
            names = "--orders",
            paramLabel = "N",
            defaultValue = "1500",
            description =
                    "Orders, at least (${DEFAULT-VALUE}); they go on coming, for twice the time at most, until the last fault is over.")
    private int orders;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "18",
            description = "Over which the orders come in (${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--keep-running", description = "Leave everything up after the verdict, until Ctrl-C.")
    private boolean keepRunning;

    /** Everything it starts ends with this process, however it ends. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Demo()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Installation installation = Installation.find();
        AtomicBoolean keepLogs = new AtomicBoolean();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (!keepLogs.get()) {
                installation.clear();
            }
        }));
        try {
            boolean passed = runAll(installation);
            keepLogs.set(!passed);
            return passed ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        } catch (Exception e) {
            keepLogs.set(true);
            throw e;
        } finally {
            if (keepLogs.get()) {
                out.println("Logs: " + installation.directory());
            }
        }
    }

    private boolean runAll(Installation installation) throws Exception {
        LiveDisplay display = new LiveDisplay(out);
        display.say("Starting PostgreSQL and Kafka");
        CompletableFuture<LocalKafka> broker = CompletableFuture.supplyAsync(LocalKafka::startOwn);
        // The verdict reads the time of each commit
        try (LocalPostgres postgres = LocalPostgres.startOwn(Map.of("track_commit_timestamp", "on"));
                LocalKafka kafka = broker.join();
                Services services = new Services(installation, postgres, kafka.bootstrapServers())) {
            start(services, postgres, display);
            boolean passed = run(services, postgres, kafka, display);
            if (keepRunning) {
                invite(services, postgres, kafka);
                new CountDownLatch(1).await();
            }
            return passed;
        }
    }

    private static void start(Services services, LocalPostgres postgres, LiveDisplay display)
            throws IOException, InterruptedException {
        List<String> names = List.of(Services.SALES, Services.FULFILMENT, Services.SUPPORT);
        names.forEach(postgres::createDatabaseNamed);
        display.say("Starting the relay, sales, fulfilment and support, each a process of its own");
        services.initSources();
        services.start(Services.RELAY);
        names.forEach(services::start);
        for (String name : names) {
            services.awaitAnswer(name);
        }
    }

    private boolean run(Services services, LocalPostgres postgres, LocalKafka kafka, LiveDisplay display)
            throws SQLException, InterruptedException, ExecutionException, IOException {
        try (Evidence evidence = new Evidence(postgres);
                Reads reads = new Reads(services.url(Services.SUPPORT))) {
            Traffic traffic = new Traffic(services.url(Services.SALES), reads, orders, Duration.ofSeconds(seconds));
            FutureTask<List<Outage>> faults =
                    new FutureTask<>(new Faults(services, kafka, traffic, evidence, display)::run);
            display.say("Registering customers and placing a first order");
            traffic.begin();
            awaitQuiet(evidence);
            display.say(orders + " orders over " + seconds + " s");
            display.follow(evidence);
            Thread faulty = new Thread(faults, "faults");
            faulty.setDaemon(true);
            faulty.start();
            traffic.run(() -> !faults.isDone());
            List<Outage> outages = faults.get();
            display.say("All orders are placed; waiting until support has seen everything");
            awaitQuiet(evidence);
            display.close();
            Findings findings = evidence.all(kafka.bootstrapServers(), traffic.placed());
            Verdict verdict = Verdict.on(findings);
            boolean passed = verdict.passed() && reads.found().missed() == 0;
            new Report(out).print(findings, verdict, outages, reads.found(), passed);
            return passed;
        }
    }

    /** Until every order is shipped and everything is in the view, or it is clear that something never will be. */
    private static void awaitQuiet(Evidence evidence) throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + SETTLE_MAX.toNanos();
        while (!isQuiet(evidence) && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private static boolean isQuiet(Evidence evidence) throws SQLException {
        Orders orders = evidence.orders();
        Findings findings = evidence.soFar();
        return orders.placed() == orders.shipped()
                && findings.applied() >= findings.committed().size();
    }

    private void invite(Services services, LocalPostgres postgres, LocalKafka kafka) throws SQLException {
        String customer;
        try (var connection = postgres.connect(postgres.url(Services.SALES));
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT id FROM customer LIMIT 1")) {
            row.next();
            customer = row.getString(1);
        }
        out.println("""

                Everything stays up until Ctrl-C. An order, and what support then knows of the customer:

                  curl -s -X POST %1$s/orders -H 'content-type: application/json' \\
                    -d '{"customerId":"%4$s","lines":[{"product":"lamp","quantity":1,"unitPriceCents":2500}]}'
                  curl -s %3$s/customers/%4$s
                  curl -s %3$s/customers/%4$s/orders
                  curl -s %2$s/api/v1/sources
                  curl -s %2$s/prometheus

                PostgreSQL  %5$s (sales, fulfilment, support; user %6$s, password %7$s)
                Kafka       %8$s""".formatted(
                        services.url(Services.SALES),
                        services.url(Services.RELAY),
                        services.url(Services.SUPPORT),
                        customer,
                        postgres.url("postgres"),
                        LocalPostgres.USER,
                        LocalPostgres.PASSWORD,
                        kafka.bootstrapServers()));
    }
}

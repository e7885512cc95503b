package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a transaction costs with events in it: ours, by hand, and other libraries, by turns. */
@Command(
        name = "write",
        description = "Compares what it costs to write events in the transaction of a business row.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class WriteBenchmark implements Callable<Integer> {
    private static final WriteSetting WARM_UP = new WriteSetting(8, 3, false);

    /** So that there is a history to load, and conflicts. */
    private static final WriteSetting HOT_WARM_UP = new WriteSetting(8, 3, true);

    @Option(names = "--clients", split = ",", description = "Clients that write at the same time.")
    private List<Integer> clients = List.of(1, 8, 32);

    @Option(names = "--events", split = ",", description = "Events in each transaction.")
    private List<Integer> events = List.of(1, 3, 10);

    @Option(names = "--rounds", description = "Rounds in which all take their turn; the figures are medians.")
    private int rounds = 3;

    @Option(names = "--warm-up", description = "Seconds that each writes once, before anything is measured.")
    private double warmUp = 2;

    @Option(names = "--settle", description = "Seconds of each turn that do not count.")
    private double settle = 0.25;

    @Option(names = "--seconds", description = "Seconds of each turn that count.")
    private double seconds = 0.8;

    @Option(
            names = "--no-fsync",
            description = "PostgreSQL does not wait for the disk at each commit: what is left is work.")
    private boolean noFsync;

    @Option(names = "--only", split = ",", description = "Only these: ${COMPLETION-CANDIDATES}.")
    private Set<WriteContender> contenders = EnumSet.allOf(WriteContender.class);

    @Option(names = "--only-hot", description = "Only with all clients on one aggregate.")
    private boolean onlyHot;

    @Mixin
    private JsonReport json = new JsonReport();

    @Override
    public Integer call() throws Exception {
        json.root().put("fsync", !noFsync).put("seconds", seconds);
        Map<String, String> settings = new HashMap<>(Machine.QUIET_POSTGRES);
        settings.put("fsync", noFsync ? "off" : "on");
        try (LocalPostgres postgres = LocalPostgres.startOwn(settings);
                WriteRace race = new WriteRace(postgres, contenders, Collections.max(clients))) {
            for (WriteContender contender : contenders) {
                race.run(contender, contender == WriteContender.AGGREGATES ? HOT_WARM_UP : WARM_UP, settle, warmUp);
            }
            List<WriteComparison> done = new ArrayList<>();
            for (WriteSetting setting : settings()) {
                WriteComparison comparison =
                        setting.clients() == 1 ? compareOnOneCore(race, setting, postgres) : compare(race, setting);
                System.out.println(comparison.table());
                done.add(comparison);
                json.add("comparisons", comparison.json());
            }
            done.removeIf(comparison -> comparison.setting().hot());
            if (!done.isEmpty()) {
                System.out.println(WriteSummary.of(cool(), done));
            }
        }
        return ExitCode.OK;
    }

    private List<WriteSetting> settings() {
        List<WriteSetting> settings = new ArrayList<>();
        for (int number : clients) {
            for (int perTransaction : onlyHot ? List.<Integer>of() : events) {
                settings.add(new WriteSetting(number, perTransaction, false));
            }
        }
        clients.forEach(number -> settings.add(new WriteSetting(number, 1, true)));
        return settings;
    }

    private Set<WriteContender> cool() {
        Set<WriteContender> cool = EnumSet.copyOf(contenders);
        cool.remove(WriteContender.AGGREGATES);
        return cool;
    }

    /** One client waits for the server whenever the server works; more keep both cores busy. */
    @SuppressWarnings("try") // the core is held for the round trips inside
    private WriteComparison compareOnOneCore(WriteRace race, WriteSetting setting, LocalPostgres postgres)
            throws Exception {
        try (Connection connection = postgres.connect(postgres.url("postgres"));
                SharedCore core = SharedCore.with(connection)) {
            return compare(race, setting);
        }
    }

    private WriteComparison compare(WriteRace race, WriteSetting setting) throws Exception {
        WriteComparison comparison = new WriteComparison(setting);
        List<WriteContender> inTurn = new ArrayList<>(setting.hot() ? contenders : cool());
        if (setting.hot()) {
            inTurn.retainAll(WriteContender.HOT);
        }
        for (int round = 1; round <= rounds; round++) {
            for (WriteContender contender : inTurn) {
                WriteMeasurement measurement = race.run(contender, setting, settle, seconds);
                System.err.printf(
                        "%s, round %d, %s: %,.0f transactions/s, load %.1f%n",
                        setting.title(), round, contender.title(), measurement.transactionsPerSecond(), Machine.load());
                comparison.add(contender, measurement);
            }
            Collections.rotate(inTurn, 1); // nobody always follows the same one
        }
        return comparison;
    }
}

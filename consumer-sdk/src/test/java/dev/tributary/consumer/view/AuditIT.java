package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.consumer.Added;
import dev.tributary.consumer.Aggregate;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.EventHandler;
import dev.tributary.consumer.History;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.ParkedEvents;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionBed;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.TestTopic;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.ViewDatabase;
import dev.tributary.consumer.view.RowDifference.Kind;
import dev.tributary.localstack.JavaProcess;
import dev.tributary.localstack.LocalKafka;
import dev.tributary.localstack.LocalPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

class AuditIT {
    private static final long BAD = 666;
    private static final String TABLES =
            "CREATE TABLE total (aggregate_id text PRIMARY KEY, total bigint NOT NULL, last_sequence bigint);"
                    + "CREATE TABLE applied (n bigint GENERATED ALWAYS AS IDENTITY, source text, event_id text,"
                    + " aggregate_id text, sequence bigint)";
    static final ViewVersion TOTALS = version(ViewDatabase::apply);

    private final SubscriptionBed bed = new SubscriptionBed(LocalPostgres.shared(), LocalKafka.shared(), 2);
    private final ViewDatabase view = bed.view;
    private final TestTopic topic = bed.topic;
    private final ExecutorService executor = Executors.newSingleThreadExecutor();
    private final AtomicBoolean traffic = new AtomicBoolean(true);

    @AfterEach
    void close() {
        traffic.set(false);
        executor.shutdown();
        bed.close();
    }

    private static ViewVersion version(EventHandler<Added> handler) {
        return ViewVersion.of(1, TABLES, subscription -> subscription.on(Added.TYPE, Added.class, handler));
    }

    /** Fails at what is bad. */
    private static void strict(Event<Added> event, Connection connection) throws SQLException {
        if (event.payload().amount() == BAD) {
            throw new IllegalArgumentException("bad amount");
        }
        ViewDatabase.apply(event, connection);
    }

    private Surroundings surroundings() {
        return surroundings(view.dataSource());
    }

    private Surroundings surroundings(DataSource dataSource) {
        return new Surroundings(
                SubscriptionBed.kafkaSettings(bed.kafka.bootstrapServers()),
                dataSource,
                Set.of(topic.name()),
                Limits.ofDefaults().withBatchEventsMax(50),
                Timeouts.ofDefaults().withRetryMax(Duration.ofMillis(500)),
                subscription -> {});
    }

    private Audit audit() {
        return audit(surroundings());
    }

    private Audit audit(Surroundings surroundings) {
        return new Audit(
                surroundings,
                new LiveTables(bed.name, "public"),
                AuditOptions.ofDefaults().leavingOut("applied.n"));
    }

    private void send(int events) {
        for (int i = 0; i < events; i++) {
            topic.enqueue(topic.added("a" + i % 40, i));
        }
        topic.flush();
    }

    /** Events until told to stop. */
    private Future<Integer> sendInTheBackground() {
        return executor.submit(() -> {
            int sent = 0;
            while (traffic.get()) {
                topic.send(topic.added("busy" + sent % 20, 1));
                sent++;
            }
            return sent;
        });
    }

    private static Map<String, Kind> kinds(List<RowDifference> rows) {
        return rows.stream()
                .collect(Collectors.toMap(
                        row -> row.table() + " " + row.key().get("aggregate_id"), RowDifference::kind));
    }

    /** Changes with every write, also one that changes nothing. */
    private List<String> liveTables() {
        return view.strings("SELECT md5(string_agg(t::text || xmin, ',' ORDER BY t::text)) FROM (SELECT t::text AS t,"
                + " xmin::text FROM public.total t UNION ALL SELECT a::text, xmin::text FROM public.applied a"
                + " UNION ALL SELECT p::text, xmin::text FROM tributary.subscription_position p WHERE subscription = '"
                + bed.name + "') t");
    }

    private void assertNothingIsLeft() {
        assertThat(view.strings(
                        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'audit%' OR nspname LIKE 'shadow%'"))
                .isEmpty();
        assertThat(view.strings("SELECT DISTINCT subscription FROM tributary.subscription_position"))
                .containsExactly(bed.name);
        assertThat(view.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
                .isZero();
    }

    @Test
    void rowsAlteredByHandAreFoundAndRepairedWhileEventsComeIn() throws Exception {
        send(400);
        bed.start();
        bed.eventuallyApplied(400);
        view.execute(
                "UPDATE total SET total = total + 1 WHERE aggregate_id = 'a7'",
                "DELETE FROM total WHERE aggregate_id = 'a8'",
                "INSERT INTO total VALUES ('ghost', 1, 1)",
                "DELETE FROM applied WHERE aggregate_id = 'a9' AND sequence = 3");
        Map<String, Long> altered = view.totals();
        Future<Integer> sending = sendInTheBackground();

        AuditReport report = audit().run(TOTALS);

        assertThat(kinds(report.differences()))
                .isEqualTo(Map.of(
                        "total a7", Kind.DIFFERENT,
                        "total a8", Kind.MISSING,
                        "total ghost", Kind.EXTRA,
                        "applied a9", Kind.MISSING));
        assertThat(report.drifted()).isEqualTo(4);
        assertThat(report.failures()).isEmpty();
        assertThat(report.text()).contains("DIFFERENT total {aggregate_id=a7}", "account.added.v1", "4 rows differ");
        RowDifference a7 = report.differences().stream()
                .filter(row -> row.kind() == Kind.DIFFERENT)
                .findAny()
                .orElseThrow();
        long right = altered.get("a7") - 1;
        assertThat(a7.columns())
                .containsExactly(
                        new RowDifference.ColumnDifference("total", Long.toString(right + 1), Long.toString(right)));
        assertThat(a7.events()).hasSize(10).allSatisfy(event -> {
            assertThat(event.aggregate()).isEqualTo("account/a7");
            assertThat(event.topic()).isEqualTo(topic.name());
            assertThat(event.position()).startsWith("00000001-");
        });
        assertThat(view.strings("SELECT event_id FROM applied WHERE aggregate_id = 'a7' ORDER BY n"))
                .isEqualTo(a7.events().stream().map(EventTrace::id).toList());
        assertThat(report.positions().keySet()).hasSize(2);
        view.execute("DELETE FROM applied WHERE aggregate_id = 'a9'");

        assertThatThrownBy(() -> repairOrFail())
                .hasMessageContaining("table applied has no primary key by which its rows could be replaced");
        assertThat(view.totals()).containsEntry("ghost", 1L).containsEntry("a7", right + 1);

        Audit totalsOnly = audit();
        ViewVersion onlyTotals = ViewVersion.of(
                1,
                "CREATE TABLE total (aggregate_id text PRIMARY KEY, total bigint NOT NULL, last_sequence bigint);"
                        + "CREATE VIEW applied AS SELECT 1",
                subscription -> subscription.on(Added.TYPE, Added.class, AuditIT::totalsOnly));
        RepairReport repaired = totalsOnly.repair(onlyTotals);
        assertThat(kinds(repaired.repaired()))
                .isEqualTo(Map.of("total a7", Kind.DIFFERENT, "total a8", Kind.MISSING, "total ghost", Kind.EXTRA));
        traffic.set(false);
        int sent = sending.get();
        assertThat(sent).isPositive();
        bed.eventuallyApplied(400 + sent - 10);

        assertThat(totalsOnly.run(onlyTotals).clean()).isTrue();
        assertThat(view.totals()).containsEntry("a7", right).doesNotContainKey("ghost");
        assertThat(view.totals().get("a8")).isEqualTo(8 + 48 + 88 + 128 + 168 + 208 + 248 + 288 + 328 + 368);
        assertThat(view.totals().values().stream().mapToLong(n -> n).sum()).isEqualTo(400 * 399 / 2 + sent);
        assertThat(
                        view.strings(
                                "SELECT kind || ' ' || (row_key->>'aggregate_id') || ' ' || coalesce(before->>'total', '-')"
                                        + " || ' ' || coalesce(after->>'total', '-') FROM tributary.view_repair ORDER BY repair_order"))
                .containsExactly("EXTRA ghost 1 -", "DIFFERENT a7 " + (right + 1) + " " + right, "MISSING a8 - 1880");
        assertNothingIsLeft();
    }

    @Test
    void repairThatHasWaitedForABatchSeesWhatItDidAboveReadCommitted() throws Exception {
        bed.start();
        send(40);
        bed.eventuallyApplied(40);
        view.defaultIsolation("repeatable read");
        view.execute("UPDATE total SET total = total + 1 WHERE aggregate_id = 'a7'");
        try (Connection batch = DriverManager.getConnection(view.url(), LocalPostgres.USER, LocalPostgres.PASSWORD);
                Statement statement = batch.createStatement()) {
            batch.setAutoCommit(false);
            statement.execute("UPDATE tributary.subscription_position SET next_offset = next_offset"
                    + " WHERE subscription = '" + bed.name + "'");
            PGSimpleDataSource unpooled = new PGSimpleDataSource(); // a pool would put its own isolation back
            unpooled.setUrl(view.url());
            unpooled.setUser(LocalPostgres.USER);
            unpooled.setPassword(LocalPostgres.PASSWORD);
            Future<RepairReport> repair =
                    executor.submit(() -> audit(surroundings(unpooled)).repair(TOTALS));
            eventually(() -> assertThat(
                            view.number(
                                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                                            + " AND wait_event_type = 'Lock' AND query LIKE '%subscription_position%FOR UPDATE'"))
                    .isEqualTo(1));
            batch.commit();
            assertThat(kinds(repair.get().repaired())).isEqualTo(Map.of("total a7", Kind.DIFFERENT));
        }
    }

    private void repairOrFail() throws SQLException, InterruptedException {
        RepairReport report = audit().repair(TOTALS);
        throw new IllegalStateException(report.refused());
    }

    private static void totalsOnly(Event<Added> event, Connection connection) throws SQLException {
        try (var total = connection.prepareStatement("INSERT INTO total VALUES (?, ?, ?) ON CONFLICT (aggregate_id)"
                + " DO UPDATE SET total = total.total + EXCLUDED.total, last_sequence = EXCLUDED.last_sequence")) {
            total.setString(1, event.aggregateId());
            total.setLong(2, event.payload().amount());
            total.setObject(3, event.sequence());
            total.executeUpdate();
        }
    }

    @Test
    void whatIsParkedLiveIsNoDriftAndShadowsSayWhatOtherHandlersWouldDo() throws Exception {
        Subscription live = bed.start(bed.bare().on(Added.TYPE, Added.class, AuditIT::strict));
        send(80);
        topic.send(topic.added("a5", BAD), topic.added("a5", 1), topic.added("a6", 1));
        bed.eventuallyApplied(81);
        eventually(() -> assertThat(live.status().totals().parked()).isEqualTo(2));
        List<String> before = liveTables();

        AuditReport mended = audit().run(TOTALS);
        assertThat(mended.clean()).as(mended.text()).isTrue();
        assertThat(mended.parked()).isEqualTo(2);
        assertThat(mended.tables()).extracting(TableResult::rows).containsExactly(81L, 40L);
        assertThat(audit().run(version(AuditIT::strict)).clean()).isTrue();

        AuditReport shadowOfMended = audit().shadow(TOTALS);
        assertThat(kinds(shadowOfMended.differences().stream()
                        .filter(row -> row.table().equals("total"))
                        .toList()))
                .isEqualTo(Map.of("total a5", Kind.DIFFERENT));
        assertThat(shadowOfMended.failures()).isEmpty();

        AuditReport shadowOfStricter = audit().shadow(version((event, connection) -> {
            if (event.payload().amount() == 3) {
                throw new IllegalArgumentException("three is too much");
            }
            strict(event, connection);
        }));
        assertThat(shadowOfStricter.failures())
                .extracting(failure -> failure.event().aggregate() + " " + failure.waiting() + " " + failure.error())
                .containsExactlyInAnyOrder(
                        "account/a3 1 java.lang.IllegalArgumentException: three is too much",
                        "account/a5 1 java.lang.IllegalArgumentException: bad amount");
        assertThat(kinds(shadowOfStricter.differences().stream()
                        .filter(row -> row.table().equals("total"))
                        .toList()))
                .isEqualTo(Map.of("total a3", Kind.EXTRA));

        AuditReport failuresOnly = audit().shadow(version(AuditIT::strict).with(History.since(Instant.EPOCH)));
        assertThat(failuresOnly.tables()).isEmpty();
        assertThat(failuresOnly.failures()).hasSize(1);
        assertThat(failuresOnly.notes()).singleElement().asString().contains("rows were not compared");
        assertThat(liveTables()).isEqualTo(before);
        assertNothingIsLeft();
    }

    @Test
    void whatIsRedrivenOrDiscardedBeforeOrDuringAnAuditIsNoDrift() throws Exception {
        Subscription strict = bed.start(bed.bare().on(Added.TYPE, Added.class, AuditIT::strict));
        send(40);
        topic.send(topic.added("a5", BAD), topic.added("a5", 1), topic.added("a6", BAD), topic.added("a6", 2));
        bed.eventuallyApplied(40);
        eventually(() -> assertThat(strict.status().totals().parked()).isEqualTo(4));
        strict.close();

        try (MatchedRebuild rebuild = MatchedRebuild.start(
                surroundings(),
                new LiveTables(bed.name, "public"),
                "audit",
                EventFates::parkedAndDiscarded,
                TOTALS,
                Long.MAX_VALUE)) {
            rebuild.approach();
            assertThat(rebuild.subscription().parkedEvents().count().events()).isEqualTo(4);
            Subscription mended = bed.start();
            ParkedEvents parked = mended.parkedEvents();
            eventually(() -> assertThat(mended.status().partitions()).hasSize(2));
            assertThat(parked.discard(
                            parked.events(new Aggregate("sales", "account", "a6"), 0, 1)
                                    .get(0)
                                    .number(),
                            "bad",
                            "test"))
                    .isTrue();
            assertThat(parked.redriveAll().failed()).isEmpty();
            bed.eventuallyApplied(43);

            try (Connection connection = view.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                rebuild.await(rebuild.follow(connection, false), SubscriptionBed.PATIENCE);
                rebuild.settle(connection);
                connection.rollback();
            }

            assertThat(rebuild.subscription().parkedEvents().count().events()).isZero();
            assertThat(view.number("SELECT count(*) FROM (SELECT * FROM total EXCEPT SELECT * FROM " + rebuild.schema()
                            + ".total) x"))
                    .isZero();
        }
        AuditReport report = audit().run(TOTALS);
        assertThat(report.clean()).as(report.text()).isTrue();
        assertThat(report.parked()).isZero();
    }

    @Test
    void killedAuditLeavesTheLiveViewAloneAndItsScratchToTheNext() throws Exception {
        send(300);
        bed.start();
        bed.eventuallyApplied(300);
        List<String> before = liveTables();
        List<String> output = Collections.synchronizedList(new ArrayList<>());
        String schema = new LiveTables(bed.name, "public").schemaFor("audit");
        try (JavaProcess process = JavaProcess.main(AuditorProcess.class)
                .jvmArgs("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .args(bed.kafka.bootstrapServers(), view.url(), bed.name, topic.name(), "10")
                .output(output::add)
                .start()) {
            eventually(() -> assertThat(view.number("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON"
                            + " n.oid = relnamespace WHERE nspname = '" + schema + "' AND relname = 'applied'"))
                    .isEqualTo(1));
            eventually(() -> assertThat(view.number("SELECT count(*) FROM " + schema + ".applied"))
                    .isPositive());
            assertThatThrownBy(() -> audit().run(TOTALS))
                    .isInstanceOf(SubscriptionException.class)
                    .hasMessageContaining("is being done already");
            process.kill();
        }
        assertThat(liveTables()).isEqualTo(before);
        assertThat(output).noneMatch(line -> line.startsWith("DONE"));
        eventually(() -> assertThat(view.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
                .isZero());

        assertThat(audit().run(TOTALS).clean()).isTrue();

        assertNothingIsLeft();
        view.execute("CREATE SCHEMA " + schema);
        assertThatThrownBy(() -> audit().run(TOTALS))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("schema " + schema + " that is not one of ours");
    }

    @Test
    void auditThatCannotBeDoneSaysWhy() {
        assertThatThrownBy(() -> audit().run(TOTALS)).hasMessageContaining("knows no subscription " + bed.name);
        send(50);
        bed.start();
        bed.eventuallyApplied(50);
        ViewVersion other = ViewVersion.of(
                1,
                TABLES.replace("total bigint", "total numeric"),
                subscription -> subscription.on(Added.TYPE, Added.class, ViewDatabase::apply));
        assertThatThrownBy(() -> audit().run(other))
                .isInstanceOf(SubscriptionException.class)
                .hasMessageContaining("table total is not the same in schemas public and audit_");
        assertNothingIsLeft();
    }
}

package dev.tributary.samples.demo;

import dev.tributary.localstack.LocalKafka;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What goes wrong while orders come in: one fault after the other, each made good again. */
final class Faults {
    private static final Duration RELAY_DOWN = Duration.ofSeconds(1);
    private static final Duration BROKER_DOWN = Duration.ofSeconds(2);
    private static final Duration SUPPORT_DOWN = Duration.ofSeconds(1);
    private static final Duration CATCH_UP_MAX = Duration.ofSeconds(20);

    private final Services services;
    private final LocalKafka kafka;
    private final Traffic traffic;
    private final Evidence evidence;
    private final LiveDisplay display;
    private final List<Outage> outages = new ArrayList<>();

    Faults(Services services, LocalKafka kafka, Traffic traffic, Evidence evidence, LiveDisplay display) {
        this.services = services;
        this.kafka = kafka;
        this.traffic = traffic;
        this.evidence = evidence;
        this.display = display;
    }

    /** Returns once everything is up again; the outages last from each fault until then, not until the lag is gone. */
    List<Outage> run() throws InterruptedException, SQLException {
        awaitProgress(0.15);
        killed(Services.RELAY, RELAY_DOWN);
        awaitProgress(0.4);
        brokerStopped();
        awaitProgress(0.65);
        killed(Services.SUPPORT, SUPPORT_DOWN);
        return outages;
    }

    private void killed(String service, Duration down) throws InterruptedException, SQLException {
        Instant from = Instant.now();
        services.kill(service);
        display.say("-- " + service + " killed with SIGKILL");
        TimeUnit.MILLISECONDS.sleep(down.toMillis());
        services.start(service);
        services.awaitAnswer(service);
        madeGood(service + " killed", service + " is back", from);
    }

    private void brokerStopped() throws InterruptedException, SQLException {
        Instant from = Instant.now();
        display.say("-- Kafka is being stopped");
        kafka.stop();
        TimeUnit.MILLISECONDS.sleep(BROKER_DOWN.toMillis());
        kafka.start();
        madeGood("Kafka stopped", "Kafka is back", from);
    }

    private void madeGood(String what, String back, Instant from) throws InterruptedException, SQLException {
        Instant to = Instant.now();
        outages.add(new Outage(what, from, to));
        display.say("-- " + back + " after " + Duration.between(from, to).toMillis() + " ms");
        awaitCatchUp();
    }

    /** So that each fault meets a running system, unless the one before is not to be made up for. */
    private void awaitCatchUp() throws InterruptedException, SQLException {
        int behind = evidence.soFar().committed().size();
        long deadline = System.nanoTime() + CATCH_UP_MAX.toNanos();
        while (evidence.soFar().applied() < behind && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private void awaitProgress(double part) throws InterruptedException {
        while (traffic.progress() < part) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}

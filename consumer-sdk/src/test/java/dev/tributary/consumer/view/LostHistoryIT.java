package dev.tributary.consumer.view;

import static dev.tributary.consumer.SubscriptionBed.eventually;
import static dev.tributary.consumer.view.ViewBed.eventuallyLive;
import static dev.tributary.consumer.view.ViewBed.version;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.consumer.SubscriptionBed;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Kafka loses what a build has still to read, while it builds. */
class LostHistoryIT {
    private final ViewBed bed = new ViewBed(1);

    @AfterEach
    void close() {
        bed.close();
    }

    /** One version live, and another one that stands still somewhere in its history, with little read ahead. */
    private View startPaused(int events) throws Exception {
        bed.send(events);
        bed.startLiveAlone();
        Map<String, Object> readingLittle =
                new HashMap<>(SubscriptionBed.kafkaSettings(bed.bed.kafka.bootstrapServers()));
        readingLittle.put("max.poll.records", 10);
        readingLittle.put("max.partition.fetch.bytes", 4_096);
        View view = bed.start(bed.view(1, 2)
                .kafka(readingLittle)
                .buildEventsPerSecondMax(100)
                .limits(ViewBed.SMALL.withBufferEventsMax(10)));
        eventually(() -> assertThat(bed.built(2)).isPositive());
        view.pause(2);
        eventually(() -> assertThat(version(view, 2).paused()).isTrue());
        return view;
    }

    private static String remedy(List<String> problems) {
        return problems.stream()
                .filter(problem -> problem.contains("UPDATE "))
                .map(problem -> problem.substring(problem.indexOf("UPDATE ")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void topicDeletedAndRecreatedIsNamedAndReadAnewOnceItIsAccepted() throws Exception {
        View view = startPaused(600);
        bed.topic.delete();
        eventually(bed.topic::create);
        eventually(() -> {
            for (int number : List.of(1, 2)) {
                assertThat(version(view, number).problems())
                        .anySatisfy(problem -> assertThat(problem).contains("the topic was recreated"));
            }
        });
        long built = bed.built(2);
        assertThat(built).isLessThan(600);
        bed.sendAgain();
        view.resume(2);
        bed.assertEqualsTheFold(bed.name);

        bed.database.execute(remedy(version(view, 1).problems()));
        bed.send(20);
        bed.assertEqualsTheFold(bed.name);
        assertThat(bed.built(2)).isEqualTo(built);
        assertThat(view.status().liveVersion()).isEqualTo(1);
        bed.database.execute(remedy(version(view, 2).problems()));
        eventuallyLive(view, 2);
        bed.assertEqualsTheFold(bed.name);
        bed.assertEqualsTheFold(bed.name + "_v1");
    }

    @Test
    void retentionThatOvertakesABuildIsNamedAndTheLiveVersionIsLeftAlone() throws Exception {
        View view = startPaused(1_000);
        long built = bed.built(2);
        bed.topic.deleteRecordsBefore(900);
        view.resume(2);
        eventually(() -> assertThat(version(view, 2).problems()).anySatisfy(problem -> assertThat(problem)
                .containsPattern("the view wants offset \\d+, and Kafka has deleted everything before 900, so that"
                        + " \\d+ offsets are gone")
                .contains("relay replay", "History.since(time)")));
        long wants = bed.database.number(
                "SELECT next_offset FROM tributary.subscription_position WHERE subscription = '" + bed.name + ".v2'");
        assertThat(wants).isBetween(built, 899L);
        eventually(() -> assertThat(version(view, 2).problems()).anySatisfy(problem -> assertThat(problem)
                .contains(
                        "needs offsets " + wants + " to 899 of " + bed.topic.partition(), (900 - wants) + " records")));
        bed.send(30);
        bed.assertEqualsTheFold(bed.name);
        assertThat(bed.built(2)).isEqualTo(wants);
        eventually(() -> assertThat(version(view, 1).problems()).isEmpty());
        assertThat(view.status().liveVersion()).isEqualTo(1);
        assertThat(bed.state(2)).isEqualTo("BUILDING");
        view.abort(2);
        bed.send(10);
        bed.assertEqualsTheFold(bed.name);
    }
}

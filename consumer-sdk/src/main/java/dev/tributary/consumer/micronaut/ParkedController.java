package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Aggregate;
import dev.tributary.consumer.ParkedCounts;
import dev.tributary.consumer.ParkedEvents;
import dev.tributary.consumer.Redriven;
import dev.tributary.consumer.SubscriptionException;
import io.micronaut.context.annotation.Requires;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Error;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is parked, and what people do about it, over HTTP. Only there with {@code tributary.parked.http.enabled}, because
 * whoever reaches it can read every payload and do without events: it belongs behind the application's own protection.
 */
@Controller("/tributary/subscriptions/{name}/parked")
@ExecuteOn(TaskExecutors.BLOCKING)
@Requires(property = "tributary.parked.http.enabled", value = "true")
@Requires(classes = Controller.class)
class ParkedController {
    private static final int LISTED_MAX = 1_000;
    private static final String LISTED_DEFAULT = "100";

    private final AllSubscriptions subscriptions;

    ParkedController(AllSubscriptions subscriptions) {
        this.subscriptions = subscriptions;
    }

    /** How much there is, and the aggregates that have it. */
    @Get
    Map<String, Object> parked(String name, @QueryValue(defaultValue = LISTED_DEFAULT) int max) throws SQLException {
        ParkedEvents parked = of(name);
        ParkedCounts count = parked.count();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("aggregates", count.aggregates());
        answer.put("events", count.events());
        answer.put("since", ParkedJson.text(count.since()));
        answer.put(
                "parked",
                parked.aggregates(atMost(max)).stream().map(ParkedJson::of).toList());
        return answer;
    }

    /** An aggregate's events, in their order. */
    @Get("/events")
    Map<String, Object> events(
            String name,
            @QueryValue String source,
            @QueryValue(defaultValue = "") String type,
            @QueryValue String id,
            @QueryValue(defaultValue = "0") long after,
            @QueryValue(defaultValue = LISTED_DEFAULT) int max)
            throws SQLException {
        return Map.of(
                "events",
                of(name).events(new Aggregate(source, type, id), after, atMost(max)).stream()
                        .map(ParkedJson::of)
                        .toList());
    }

    /** One event. */
    @Get("/events/{number}")
    HttpResponse<Map<String, Object>> event(String name, long number) throws SQLException {
        return of(name).event(number)
                .<HttpResponse<Map<String, Object>>>map(event -> HttpResponse.ok(ParkedJson.of(event)))
                .orElseGet(() -> error(HttpStatus.NOT_FOUND, "event " + number + " is not parked"));
    }

    /** Of {@code {source, type, id}}, of {@code {failedType}}, or {@code {"all": true}}. */
    @Post("/redrive")
    Map<String, Object> redrive(String name, @Body Map<String, Object> what) throws SQLException {
        ParkedEvents parked = of(name);
        Redriven redriven;
        if (Boolean.TRUE.equals(what.get("all"))) {
            redriven = parked.redriveAll();
        } else if (what.containsKey("failedType")) {
            redriven = parked.redriveFailed(text(what, "failedType"));
        } else {
            redriven = parked.redrive(aggregate(what));
        }
        return ParkedJson.of(redriven);
    }

    /** {@code {number, reason, who}} for one event, {@code {source, type, id, reason, who}} for an aggregate's. */
    @Post("/discard")
    HttpResponse<Map<String, Object>> discard(String name, @Body Map<String, Object> what) throws SQLException {
        ParkedEvents parked = of(name);
        String reason = text(what, "reason");
        String who = text(what, "who");
        if (what.get("number") instanceof Number number) {
            return parked.discard(number.longValue(), reason, who)
                    ? HttpResponse.ok(Map.of("discarded", 1))
                    : error(HttpStatus.NOT_FOUND, "event " + number + " is not parked");
        }
        return HttpResponse.ok(Map.of("discarded", parked.discardAll(aggregate(what), reason, who)));
    }

    /** {@code {source, type, id, reason, who}}: goes on without the numbers that are missing. */
    @Post("/accept-gap")
    Map<String, Object> acceptGap(String name, @Body Map<String, Object> what) throws SQLException {
        return ParkedJson.of(of(name).acceptGap(aggregate(what), text(what, "reason"), text(what, "who")));
    }

    private ParkedEvents of(String name) {
        return subscriptions.now().stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new UnknownSubscription(name))
                .parkedEvents();
    }

    private static int atMost(int max) {
        return Math.max(1, Math.min(max, LISTED_MAX));
    }

    private static Aggregate aggregate(Map<String, Object> what) {
        return new Aggregate(
                text(what, "source"), what.get("type") == null ? "" : text(what, "type"), text(what, "id"));
    }

    private static String text(Map<String, Object> what, String key) {
        if (what.get(key) instanceof String text && !text.isBlank()) {
            return text;
        }
        throw new SubscriptionException("the body needs \"" + key + "\", a text");
    }

    @Error(exception = UnknownSubscription.class)
    HttpResponse<Map<String, Object>> unknown(UnknownSubscription e) {
        return error(HttpStatus.NOT_FOUND, message(e));
    }

    @Error(exception = SubscriptionException.class)
    HttpResponse<Map<String, Object>> refused(SubscriptionException e) {
        return error(HttpStatus.BAD_REQUEST, message(e));
    }

    @Error(exception = SQLException.class)
    HttpResponse<Map<String, Object>> database(SQLException e) {
        return error(HttpStatus.SERVICE_UNAVAILABLE, "the view's database: " + message(e));
    }

    private static String message(Throwable e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static HttpResponse<Map<String, Object>> error(HttpStatus status, String message) {
        return HttpResponse.<Map<String, Object>>status(status).body(Map.of("error", message));
    }

    private static final class UnknownSubscription extends RuntimeException {
        UnknownSubscription(String name) {
            super("no subscription " + name + " runs here");
        }
    }
}

package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.View;
import dev.tributary.consumer.view.ViewStatus;
import io.micronaut.context.annotation.Requires;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.management.endpoint.annotation.Endpoint;
import io.micronaut.management.endpoint.annotation.Read;
import io.micronaut.management.endpoint.annotation.Selector;
import io.micronaut.management.endpoint.annotation.Write;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code /views} for operators, where {@code endpoints.views.enabled} is true: how views stand, and commands such as {@code
 * {"command": "pause", "version": 2}}, posted to {@code /views/<name>}. The answer says how it stands, or why it was refused.
 */
@Requires(classes = Endpoint.class)
@Endpoint(id = "views", defaultEnabled = false, defaultSensitive = true)
final class ViewsEndpoint {
    private static final Duration SWITCH_MAX = Duration.ofSeconds(30);

    private final Views views;

    ViewsEndpoint(Views views) {
        this.views = views;
    }

    /** All views. */
    @Read
    Map<String, Object> all() {
        Map<String, Object> all = new LinkedHashMap<>();
        views.all().forEach(view -> all.put(view.name(), describe(view.status())));
        return all;
    }

    /** Does as told, or says why not: with 404 for an unknown view, 409 for what it cannot do now, 503 without its database. */
    @Write
    HttpResponse<Map<String, Object>> command(@Selector String name, String command, @Nullable Integer version)
            throws InterruptedException {
        Optional<View> view = views.find(name);
        if (view.isEmpty()) {
            return refused(HttpStatus.NOT_FOUND, "no view " + name + " runs here");
        }
        try {
            run(view.get(), command, version);
            return HttpResponse.ok(
                    Map.of("done", true, "view", describe(view.get().status())));
        } catch (SubscriptionException e) {
            return refused(HttpStatus.CONFLICT, String.valueOf(e.getMessage()));
        } catch (SQLException e) {
            return refused(HttpStatus.SERVICE_UNAVAILABLE, "the view's database: " + e.getMessage());
        }
    }

    private static HttpResponse<Map<String, Object>> refused(HttpStatus status, String reason) {
        return HttpResponse.<Map<String, Object>>status(status).body(Map.of("done", false, "reason", reason));
    }

    private static void run(View view, String command, @Nullable Integer version)
            throws SQLException, InterruptedException {
        if (command.equals("switch-back")) {
            view.switchBack(SWITCH_MAX);
            return;
        }
        if (version == null) {
            throw new SubscriptionException("command " + command + " needs a version");
        }
        switch (command) {
            case "switch" -> view.switchTo(version, SWITCH_MAX);
            case "pause" -> view.pause(version);
            case "resume" -> view.resume(version);
            case "abort" -> view.abort(version);
            case "retire" -> view.retire(version);
            case "rebuild" -> view.rebuild(version);
            default ->
                throw new SubscriptionException("there is no command " + command
                        + "; there are switch, switch-back, pause, resume, abort, retire, rebuild");
        }
    }

    static Map<String, Object> describe(ViewStatus status) {
        Map<String, Object> description = new LinkedHashMap<>();
        if (status.liveVersion() != null) {
            description.put("liveVersion", status.liveVersion());
        }
        if (!status.problem().isEmpty()) {
            description.put("problem", status.problem());
        }
        List<Object> versions = new ArrayList<>();
        status.versions().forEach(version -> versions.add(describe(version)));
        description.put("versions", versions);
        return description;
    }

    private static Map<String, Object> describe(ViewStatus.Version version) {
        Map<String, Object> description = new LinkedHashMap<>();
        description.put("version", version.version());
        description.put("state", version.state().name());
        description.put("paused", version.paused());
        description.put("knownHere", version.knownHere());
        if (version.caughtUpSince() != null) {
            description.put("caughtUpSince", version.caughtUpSince().toString());
        }
        if (version.progress() != null) {
            describe(version.progress(), description);
        }
        if (!version.problems().isEmpty()) {
            description.put("problems", version.problems());
        }
        return description;
    }

    private static void describe(ViewStatus.Progress progress, Map<String, Object> description) {
        description.put("done", progress.done());
        description.put("total", progress.total());
        description.put("perSecond", progress.perSecond());
        if (progress.timeLeft() != null) {
            description.put("timeLeftSeconds", progress.timeLeft().toSeconds());
        }
        Map<String, Object> partitions = new LinkedHashMap<>();
        progress.partitions()
                .forEach(each -> partitions.put(
                        each.topic() + "-" + each.partition(), Map.of("done", each.done(), "total", each.total())));
        description.put("partitions", partitions);
    }
}

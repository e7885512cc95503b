package dev.tributary.samples.support;

import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.micronaut.ViewProgresses;
import dev.tributary.consumer.progress.Inclusion;
import dev.tributary.outbox.wire.ReadToken;
import io.micronaut.context.annotation.Value;
import io.micronaut.http.HttpMethod;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.annotation.RequestFilter;
import io.micronaut.http.annotation.ResponseFilter;
import io.micronaut.http.annotation.ServerFilter;
import io.micronaut.http.exceptions.HttpStatusException;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.time.Duration;
import java.util.Locale;

/**
 * Lets a request wait that carries a token of what its sender has written elsewhere, until the view includes that. After
 * the time-out it is answered all the same, and told how far behind the answer is.
 */
@ServerFilter(patterns = "/customers/**", methods = HttpMethod.GET)
class ReadYourWritesFilter {
    /** What sales answers a write with. */
    static final String TOKEN = "Tributary-Token";
    /** {@code included}, {@code not-yet} or {@code history-changed}; {@code , parked} if events have been set aside. */
    static final String VIEW = "Tributary-View";
    /** Unless included: what the view lacks, as far as is known. */
    static final String BEHIND = "Tributary-Behind";

    private final ViewProgresses views;
    private final Duration timeout;

    ReadYourWritesFilter(ViewProgresses views, @Value("${support.read-your-writes-timeout:2s}") Duration timeout) {
        this.views = views;
        this.timeout = timeout;
    }

    @RequestFilter
    @ExecuteOn(TaskExecutors.BLOCKING)
    void await(HttpRequest<?> request) throws InterruptedException {
        String text = request.getHeaders().get(TOKEN);
        if (text != null) {
            try {
                Inclusion inclusion =
                        views.get(CustomerViewUpdates.SUBSCRIPTION).await(ReadToken.parse(text), timeout);
                request.setAttribute(VIEW, inclusion);
            } catch (IllegalArgumentException | SubscriptionException e) {
                throw new HttpStatusException(HttpStatus.BAD_REQUEST, TOKEN + ": " + e.getMessage());
            }
        }
    }

    @ResponseFilter
    void tell(HttpRequest<?> request, MutableHttpResponse<?> response) {
        request.getAttribute(VIEW, Inclusion.class).ifPresent(inclusion -> {
            String outcome = inclusion.outcome().name().toLowerCase(Locale.ROOT).replace('_', '-');
            response.header(VIEW, inclusion.parked() ? outcome + ", parked" : outcome);
            if (!inclusion.included()) {
                response.header(BEHIND, behind(inclusion));
            }
        });
    }

    private static String behind(Inclusion inclusion) {
        Duration behind = inclusion.behind();
        String time = behind == null ? "unknown" : behind.toMillis() + " ms";
        return time + ", " + inclusion.eventsBehind() + " events";
    }
}

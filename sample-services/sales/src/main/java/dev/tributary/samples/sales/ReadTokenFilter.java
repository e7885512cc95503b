package dev.tributary.samples.sales;

import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.micronaut.TransactionalOutbox;
import io.micronaut.http.HttpMethod;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.annotation.ResponseFilter;
import io.micronaut.http.annotation.ServerFilter;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives whoever has written something a token, in a header: other services that are asked with it wait until they know of
 * the write.
 */
@ServerFilter(
        patterns = {"/orders/**", "/customers/**"},
        methods = {HttpMethod.POST, HttpMethod.PUT})
class ReadTokenFilter {
    static final String HEADER = "Tributary-Token";

    private static final Logger LOG = LoggerFactory.getLogger(ReadTokenFilter.class);

    private final TransactionalOutbox outbox;

    ReadTokenFilter(TransactionalOutbox outbox) {
        this.outbox = outbox;
    }

    @ResponseFilter
    @ExecuteOn(TaskExecutors.BLOCKING)
    void addToken(MutableHttpResponse<?> response) {
        if (response.code() / 100 != 2) {
            return;
        }
        try {
            response.header(HEADER, outbox.token().toString());
        } catch (OutboxException e) {
            // The order is placed, whether or not others can be asked to wait for it
            LOG.warn("No token: {}", e.getMessage());
        }
    }
}

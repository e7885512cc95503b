package dev.tributary.relay.http;

import dev.tributary.relay.config.HttpConfig;
import dev.tributary.relay.running.SourceStatuses;
import io.micrometer.core.instrument.MeterRegistry;
import io.micronaut.context.ApplicationContext;
import io.micronaut.runtime.server.EmbeddedServer;
import java.net.URI;
import java.util.HashMap;
import java.util.Map;

/** The running relay's HTTP server. */
public final class HttpApi implements AutoCloseable {
    /** Where the statuses of all sources are, as a JSON array. */
    public static final String SOURCES_PATH = "/api/v1/sources";

    private static final int ANY_FREE_PORT = -1;
    private static final Map<String, Object> FIXED = Map.ofEntries(
            Map.entry("micronaut.application.name", "relay"),
            Map.entry("micronaut.netty.event-loops.default.num-threads", 1),
            Map.entry("endpoints.all.enabled", false),
            Map.entry("endpoints.health.enabled", true),
            Map.entry("endpoints.health.sensitive", false),
            Map.entry("endpoints.health.details-visible", "ANONYMOUS"),
            Map.entry("endpoints.health.disk-space.enabled", false),
            Map.entry("endpoints.health.discovery-client.enabled", false),
            Map.entry("endpoints.prometheus.enabled", true),
            Map.entry("endpoints.prometheus.sensitive", false),
            Map.entry("micronaut.metrics.binders.web.enabled", false),
            Map.entry("micronaut.metrics.binders.executor.enabled", false),
            Map.entry("jackson.serialization-inclusion", "ALWAYS"));

    private final ApplicationContext context;
    private final EmbeddedServer server;

    private HttpApi(ApplicationContext context, EmbeddedServer server) {
        this.context = context;
        this.server = server;
    }

    /**
     * Listens until closed.
     *
     * @throws HttpApiException if it cannot listen there
     */
    public static HttpApi start(HttpConfig config, SourceStatuses sources) {
        Map<String, Object> properties = new HashMap<>(FIXED);
        properties.put("micronaut.server.host", config.host());
        properties.put("micronaut.server.port", config.port() == 0 ? ANY_FREE_PORT : config.port());
        // The relay's own configuration decides, and nothing that happens to be called MICRONAUT_* in the environment
        ApplicationContext context = ApplicationContext.builder()
                .properties(properties)
                .deduceEnvironment(false)
                .environmentPropertySource(false)
                .bootstrapEnvironment(false)
                .banner(false)
                .build();
        context.registerSingleton(SourceStatuses.class, sources);
        try {
            EmbeddedServer server = context.start().getBean(EmbeddedServer.class);
            // Meters are bound when somebody first asks for this bean, which a scrape does not
            context.getBean(MeterRegistry.class);
            return new HttpApi(context, server.start());
        } catch (RuntimeException e) {
            context.close();
            throw new HttpApiException(config, e);
        }
    }

    /** Where it answers. */
    public URI uri() {
        return server.getURI();
    }

    @Override
    public void close() {
        server.stop();
        context.close();
    }
}

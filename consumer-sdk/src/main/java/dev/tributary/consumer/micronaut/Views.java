package dev.tributary.consumer.micronaut;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.View;
import dev.tributary.outbox.schema.Upcasters;
import io.micronaut.context.BeanContext;
import io.micronaut.context.env.Environment;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The application's views, by name: its beans of type {@link View.Builder}, started with the application and completed by
 * its configuration. Empty before the application has started. Thread-safe from then on.
 */
@Singleton
public final class Views implements ApplicationEventListener<StartupEvent> {
    private final BeanContext context;
    private final Environment environment;
    private final SubscriptionFactory factory;
    private final Map<String, View> running = Collections.synchronizedMap(new TreeMap<>());

    Views(BeanContext context, Environment environment, SubscriptionFactory factory) {
        this.context = context;
        this.environment = environment;
        this.factory = factory;
    }

    /** Those that run. */
    public Collection<View> all() {
        synchronized (running) {
            return List.copyOf(running.values());
        }
    }

    /**
     * One that runs.
     *
     * @throws SubscriptionException if there is none of that name
     */
    public View get(String name) {
        return find(name)
                .orElseThrow(() ->
                        new SubscriptionException("no view " + name + " runs here; there are " + running.keySet()));
    }

    Optional<View> find(String name) {
        return Optional.ofNullable(running.get(name));
    }

    /** Called by Micronaut once everything is there, migrated databases too. */
    @Override
    public void onApplicationEvent(StartupEvent event) {
        context.getBeansOfType(View.Builder.class).forEach(this::start);
    }

    private void start(View.Builder builder) {
        ViewSettings settings = new ViewSettings(environment, builder.name());
        if (!settings.enabled()) {
            return;
        }
        if (running.containsKey(builder.name())) {
            throw new SubscriptionException("two beans are views called " + builder.name());
        }
        settings.applyTo(builder);
        builder.dataSource(factory.dataSource(settings.dataSource()));
        builder.settings(subscription -> {
            context.findBean(ObjectMapper.class).ifPresent(subscription::objectMapper);
            context.findBean(Upcasters.class).ifPresent(subscription::upcasters);
        });
        running.put(builder.name(), builder.start());
    }

    @PreDestroy
    void close() {
        all().forEach(View::close);
    }
}

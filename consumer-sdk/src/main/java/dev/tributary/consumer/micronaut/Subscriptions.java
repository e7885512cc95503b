package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.view.AuditCommand;
import dev.tributary.consumer.view.AuditOptions;
import dev.tributary.consumer.view.LiveTables;
import io.micronaut.context.event.ApplicationEventListener;
import io.micronaut.context.event.StartupEvent;
import io.micronaut.context.processor.ExecutableMethodProcessor;
import io.micronaut.inject.BeanDefinition;
import io.micronaut.inject.ExecutableMethod;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The application's subscriptions, by name: empty before the application has started. Thread-safe from then on. */
@Singleton
public final class Subscriptions implements ExecutableMethodProcessor<OnEvent>, ApplicationEventListener<StartupEvent> {
    private final SubscriptionFactory factory;
    private final Map<BeanDefinition<?>, List<ExecutableMethod<Object, ?>>> found = new LinkedHashMap<>();
    private final Map<String, Subscription> running = Collections.synchronizedMap(new TreeMap<>());

    Subscriptions(SubscriptionFactory factory) {
        this.factory = factory;
    }

    /** Those that run. */
    public Collection<Subscription> all() {
        synchronized (running) {
            return List.copyOf(running.values());
        }
    }

    /**
     * One that runs.
     *
     * @throws SubscriptionException if there is none of that name
     */
    public Subscription get(String name) {
        Subscription subscription = running.get(name);
        if (subscription == null) {
            throw new SubscriptionException("no subscription " + name + " runs here");
        }
        return subscription;
    }

    /**
     * An audit of the tables that a subscription of this application feeds, also if configuration has it disabled here.
     *
     * @param schema the schema of the live tables, such as {@code public}
     * @param script SQL that creates the tables in an empty schema by bare names, such as the migrations that did
     * @throws SubscriptionException if no bean is called so
     */
    public AuditCommand audit(String subscription, String schema, String script, AuditOptions options) {
        for (Map.Entry<BeanDefinition<?>, List<ExecutableMethod<Object, ?>>> each : found.entrySet()) {
            BeanDefinition<?> bean = each.getKey();
            if (bean.stringValue(EventSubscription.class, "name")
                    .filter(subscription::equals)
                    .isPresent()) {
                return factory.audit(bean, each.getValue(), new LiveTables(subscription, schema), script, options);
            }
        }
        throw new SubscriptionException("no bean is called @EventSubscription(name = \"" + subscription + "\")");
    }

    /** Called by Micronaut for each handler method, before the application has started. */
    @Override
    @SuppressWarnings("unchecked")
    public void process(BeanDefinition<?> bean, ExecutableMethod<?, ?> method) {
        found.computeIfAbsent(bean, b -> new ArrayList<>()).add((ExecutableMethod<Object, ?>) method);
    }

    /** Called by Micronaut once everything is there, migrated databases too. */
    @Override
    public void onApplicationEvent(StartupEvent event) {
        refuseWithoutHandlers();
        found.forEach((bean, handlers) -> factory.start(bean, handlers).ifPresent(this::remember));
    }

    /** Which would be nothing, without a word. */
    private void refuseWithoutHandlers() {
        for (String name : factory.names()) {
            if (found.keySet().stream().noneMatch(bean -> bean.stringValue(EventSubscription.class, "name")
                    .filter(name::equals)
                    .isPresent())) {
                throw new SubscriptionException("@EventSubscription(name = \"" + name
                        + "\") has no handlers: annotate methods with @OnEvent(\"type.vN\")");
            }
        }
    }

    private void remember(Subscription subscription) {
        if (running.putIfAbsent(subscription.name(), subscription) != null) {
            subscription.close();
            throw new SubscriptionException(
                    "two beans are called @EventSubscription(name = \"" + subscription.name() + "\")");
        }
    }

    @PreDestroy
    void close() {
        all().forEach(Subscription::close);
    }
}

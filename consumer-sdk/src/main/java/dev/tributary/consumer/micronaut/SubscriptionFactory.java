package dev.tributary.consumer.micronaut;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.consumer.Event;
import dev.tributary.consumer.Limits;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import dev.tributary.consumer.Timeouts;
import dev.tributary.consumer.rows.Rows;
import dev.tributary.consumer.view.Audit;
import dev.tributary.consumer.view.AuditCommand;
import dev.tributary.consumer.view.AuditOptions;
import dev.tributary.consumer.view.LiveTables;
import dev.tributary.consumer.view.Surroundings;
import dev.tributary.consumer.view.ViewVersion;
import dev.tributary.outbox.schema.Upcasters;
import io.micronaut.context.ApplicationContext;
import io.micronaut.core.reflect.ClassUtils;
import io.micronaut.core.type.Argument;
import io.micronaut.inject.BeanDefinition;
import io.micronaut.inject.ExecutableMethod;
import io.micronaut.inject.qualifiers.Qualifiers;
import io.micronaut.jdbc.DataSourceResolver;
import jakarta.inject.Singleton;
import java.sql.Connection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;

/** Builds a subscription from an annotated bean and the application's configuration. */
@Singleton
final class SubscriptionFactory {
    private final ApplicationContext context;

    SubscriptionFactory(ApplicationContext context) {
        this.context = context;
    }

    /** The names of all annotated beans, whether they have handlers or not. */
    List<String> names() {
        return context.getBeanDefinitions(Qualifiers.byStereotype(EventSubscription.class)).stream()
                .flatMap(bean -> bean.stringValue(EventSubscription.class, "name").stream())
                .toList();
    }

    /** Empty if configuration has it disabled. */
    Optional<Subscription> start(BeanDefinition<?> bean, List<ExecutableMethod<Object, ?>> handlers) {
        String name = bean.stringValue(EventSubscription.class, "name")
                .orElseThrow(() -> new SubscriptionException(
                        bean.getBeanType().getName() + " has @OnEvent methods, but no @EventSubscription"));
        SubscriptionSettings settings = new SubscriptionSettings(context.getEnvironment(), name);
        if (!settings.enabled()) {
            return Optional.empty();
        }
        Subscription.Builder builder =
                Subscription.builder(name).topics(topics(bean)).dataSource(viewDatabase(bean));
        configure(builder, settings);
        addHandlers(builder, bean, handlers);
        return Optional.of(builder.start());
    }

    /** An audit of what the bean's subscription feeds, whether that runs here or not. */
    AuditCommand audit(
            BeanDefinition<?> bean,
            List<ExecutableMethod<Object, ?>> handlers,
            LiveTables live,
            String script,
            AuditOptions options) {
        SubscriptionSettings settings = new SubscriptionSettings(context.getEnvironment(), live.subscription());
        Surroundings surroundings = new Surroundings(
                settings.kafka(),
                viewDatabase(bean),
                Set.of(topics(bean)),
                Limits.ofDefaults(),
                Timeouts.ofDefaults(),
                builder -> configure(builder, settings));
        return new AuditCommand(
                new Audit(surroundings, live, options),
                ViewVersion.of(1, script, builder -> addHandlers(builder, bean, handlers)));
    }

    private void configure(Subscription.Builder builder, SubscriptionSettings settings) {
        context.findBean(ObjectMapper.class).ifPresent(builder::objectMapper);
        context.findBean(Upcasters.class).ifPresent(builder::upcasters);
        settings.applyTo(builder);
    }

    private static String[] topics(BeanDefinition<?> bean) {
        return bean.stringValues(EventSubscription.class, "topics");
    }

    private DataSource viewDatabase(BeanDefinition<?> bean) {
        return dataSource(
                bean.stringValue(EventSubscription.class, "dataSource").orElse("default"));
    }

    private void addHandlers(
            Subscription.Builder builder, BeanDefinition<?> bean, List<ExecutableMethod<Object, ?>> handlers) {
        Object target = context.getBean(bean);
        for (ExecutableMethod<Object, ?> method : handlers) {
            addHandler(builder, target, method);
        }
    }

    private static void addHandler(Subscription.Builder builder, Object target, ExecutableMethod<Object, ?> method) {
        Argument<?>[] arguments = method.getArguments();
        boolean fits = arguments.length == 2
                && arguments[0].getType() == Event.class
                && arguments[0].getFirstTypeVariable().isPresent()
                && (arguments[1].getType() == Connection.class || arguments[1].getType() == Rows.class);
        if (!fits) {
            throw new SubscriptionException("@OnEvent " + method.getDescription(false)
                    + " must take (Event<PayloadType>, java.sql.Connection) or (Event<PayloadType>, Rows)");
        }
        String type = method.stringValue(OnEvent.class).orElse("");
        Class<?> payload = arguments[0].getFirstTypeVariable().orElseThrow().getType();
        if (arguments[1].getType() == Rows.class) {
            builder.onRows(type, payload, (event, rows) -> method.invoke(target, event, rows));
        } else {
            builder.on(type, payload, (event, connection) -> method.invoke(target, event, connection));
        }
    }

    /** Not the one that joins ambient transactions: the subscription has its own. */
    DataSource dataSource(String name) {
        DataSource dataSource = context.findBean(DataSource.class, Qualifiers.byName(name))
                .orElseThrow(() -> new SubscriptionException(
                        "there is no data source " + name + "; configure datasources." + name));
        boolean wraps = ClassUtils.isPresent(
                "io.micronaut.jdbc.DataSourceResolver", getClass().getClassLoader());
        return wraps ? Unwrapping.resolve(context, dataSource) : dataSource;
    }

    /** Apart, because micronaut-jdbc need not be there. */
    private static final class Unwrapping {
        static DataSource resolve(ApplicationContext context, DataSource dataSource) {
            return context.findBean(DataSourceResolver.class)
                    .orElse(DataSourceResolver.DEFAULT)
                    .resolve(dataSource);
        }
    }
}

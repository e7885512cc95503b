package dev.tributary.outbox.micronaut;

import dev.tributary.outbox.OutboxException;
import dev.tributary.outbox.retention.RetentionSettings;
import dev.tributary.outbox.retention.RetentionThread;
import io.micronaut.context.BeanContext;
import io.micronaut.context.annotation.Bean;
import io.micronaut.context.annotation.Context;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import io.micronaut.context.condition.Condition;
import io.micronaut.context.condition.ConditionContext;
import io.micronaut.core.value.PropertyResolver;
import io.micronaut.inject.qualifiers.Qualifiers;
import io.micronaut.transaction.jdbc.DataSourceTransactionManager;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps {@code tributary.outbox} small while the application runs, if {@code tributary.outbox.retention.window} is set. The keys
 * are the relay's; {@code tributary.outbox.retention.data-source} names the data source, which gives up one connection for it.
 */
@Factory
@Requires(classes = DataSourceTransactionManager.class)
final class RetentionFactory {
    private static final Logger LOG = LoggerFactory.getLogger(RetentionFactory.class);
    private static final String PREFIX = "tributary.outbox.retention";
    private static final String WINDOW = PREFIX + ".window";
    private static final String SPAN = PREFIX + ".span";
    private static final String AHEAD = PREFIX + ".ahead";
    private static final String PAUSE_MAX = PREFIX + ".pause.max";

    /** Whether anything is said about it; a slip should not turn it off in silence. */
    static final class Wanted implements Condition {
        @Override
        @SuppressWarnings("rawtypes") // as Micronaut has it
        public boolean matches(ConditionContext context) {
            return context.containsProperties(PREFIX);
        }
    }

    @Context
    @Bean(preDestroy = "close")
    @Requires(condition = Wanted.class)
    RetentionThread retention(BeanContext beans, PropertyResolver properties) {
        String name =
                properties.getProperty(PREFIX + ".data-source", String.class).orElse("default");
        DataSource dataSource = beans.findBean(DataSourceTransactionManager.class, Qualifiers.byName(name))
                .orElseThrow(() -> new OutboxException(PREFIX + ".data-source is " + name
                        + ", and there is no such data source: configure datasources." + name))
                .getDataSource();
        return RetentionThread.start("tributary-retention", dataSource::getConnection, settings(properties), new Log());
    }

    private static RetentionSettings settings(PropertyResolver properties) {
        String window = properties.getProperty(WINDOW, String.class).orElse(null);
        if (window == null) {
            throw new OutboxException(WINDOW + " is missing: the other keys of retention mean nothing without it");
        }
        try {
            return new RetentionSettings(
                    duration(WINDOW, window, Duration.ZERO),
                    duration(SPAN, text(properties, SPAN), RetentionSettings.DEFAULT_SPAN),
                    ahead(text(properties, AHEAD)),
                    duration(PAUSE_MAX, text(properties, PAUSE_MAX), RetentionSettings.DEFAULT_PAUSE_MAX));
        } catch (IllegalArgumentException e) {
            throw new OutboxException(PREFIX + ": " + e.getMessage(), e);
        }
    }

    private static @Nullable String text(PropertyResolver properties, String key) {
        return properties.getProperty(key, String.class).orElse(null);
    }

    private static Duration duration(String key, @Nullable String value, Duration byDefault) {
        try {
            return value == null ? byDefault : Duration.parse(value.trim());
        } catch (DateTimeParseException e) {
            throw new OutboxException(key + " must be a duration such as P1D or PT1H, not '" + value + "'", e);
        }
    }

    private static int ahead(@Nullable String value) {
        try {
            return value == null ? RetentionSettings.DEFAULT_AHEAD : Integer.parseInt(value.trim());
        } catch (NumberFormatException e) {
            throw new OutboxException(AHEAD + " must be a number of partitions, not '" + value + "'", e);
        }
    }

    private static final class Log implements RetentionThread.Account {
        @Override
        public void trouble(String sentences) {
            LOG.warn("{}", sentences);
        }

        @Override
        public void worksAgain() {
            LOG.info("retention works again");
        }
    }
}

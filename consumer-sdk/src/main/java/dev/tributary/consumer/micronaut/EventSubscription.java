package dev.tributary.consumer.micronaut;

import jakarta.inject.Singleton;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A bean whose {@link OnEvent} methods are the handlers of a {@link dev.tributary.consumer.Subscription}, which starts
 * and ends with the application. {@code tributary.subscriptions.<name>} configures it further.
 */
@Documented
@Singleton
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface EventSubscription {
    /** The subscription's name, unique within the Kafka cluster. */
    String name();

    /** The topics; placeholders are resolved. */
    String[] topics();

    /** The name of the data source that the view is in. */
    String dataSource() default "default";
}

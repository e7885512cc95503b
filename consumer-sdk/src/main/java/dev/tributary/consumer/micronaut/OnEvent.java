package dev.tributary.consumer.micronaut;

import io.micronaut.context.annotation.Executable;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A handler: a method of an {@link EventSubscription} bean with the parameters {@code Event<PayloadType>} and either
 * {@code java.sql.Connection}, to which {@link dev.tributary.consumer.EventHandler}'s rules apply, or {@link
 * dev.tributary.consumer.rows.Rows}, to which {@link dev.tributary.consumer.RowsHandler}'s do.
 */
@Documented
@Executable(processOnStartup = true)
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface OnEvent {
    /** The event type, {@code name.vN}. */
    String value();
}

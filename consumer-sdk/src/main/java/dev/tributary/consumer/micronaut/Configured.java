package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.SubscriptionException;
import io.micronaut.context.env.Environment;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** What an application has configured, by key. */
final class Configured {
    private Configured() {}

    /**
     * Empty if nothing is set.
     *
     * @throws SubscriptionException if what is set is not of that type, which Micronaut takes for nothing
     */
    static <T> Optional<T> value(Environment environment, String key, Class<T> type) {
        Optional<T> value = environment.getProperty(key, type);
        if (value.isEmpty()) {
            environment
                    .getProperty(key, String.class)
                    .filter(text -> !text.isBlank())
                    .ifPresent(text -> {
                        throw new SubscriptionException(key + " is '" + text + "', and has to be " + expected(type));
                    });
        }
        return value;
    }

    private static String expected(Class<?> type) {
        if (type.isEnum()) {
            return "one of " + Arrays.toString(type.getEnumConstants());
        }
        if (type == Duration.class) {
            return "a duration such as 5s";
        }
        return type == Boolean.class ? "true or false" : "a number";
    }
}

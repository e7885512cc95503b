package dev.tributary.outbox;

import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The classes that may be published as events, each with the name and version that others know it by. Names on the
 * wire stay when classes are renamed or moved. Immutable and thread-safe.
 */
public final class EventTypes {
    private final Map<Class<?>, String> typesByClass;
    private final Map<String, Class<?>> classesByType = new HashMap<>();

    private EventTypes(Map<Class<?>, String> typesByClass) {
        this.typesByClass = Map.copyOf(typesByClass);
        typesByClass.forEach((payloadClass, type) -> classesByType.put(type, payloadClass));
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * The type on the wire, {@code name.vN}, of events of this very class.
     *
     * @throws EventRejectedException if the class is not registered
     */
    public String typeOf(Class<?> payloadClass) {
        String type = typesByClass.get(payloadClass);
        if (type == null) {
            throw new EventRejectedException(payloadClass.getName() + " is not registered as an event type: add"
                    + " .register(\"<name>\", <version>, " + payloadClass.getSimpleName()
                    + ".class) where the EventTypes are built");
        }
        return type;
    }

    /** The class that is registered for a type on the wire, {@code name.vN}; null if none is. */
    public @Nullable Class<?> classOf(String type) {
        return classesByType.get(type);
    }

    /** Not thread-safe. */
    public static final class Builder {
        private final Map<Class<?>, String> typesByClass = new HashMap<>();

        private Builder() {}

        /**
         * Gives a class its type on the wire.
         *
         * @param name what happened, such as {@code order.placed}; others rely on it
         * @param version from 1; a new one for a change that old readers would not understand
         * @param payloadClass a concrete class or record; each can be registered once
         */
        public Builder register(String name, int version, Class<?> payloadClass) {
            if (version < 1) {
                throw new EventRejectedException(
                        "version " + version + " of event '" + name + "' is not usable: versions start at 1");
            }
            if (payloadClass.isInterface() || Modifier.isAbstract(payloadClass.getModifiers())) {
                throw new EventRejectedException(
                        payloadClass.getName() + " is abstract: register the concrete classes that are published");
            }
            String type = EventRules.eventType(EventRules.eventName(name) + ".v" + version);
            if (typesByClass.containsValue(type)) {
                throw new EventRejectedException("event type '" + type
                        + "' is registered twice: give each class its own name, or a changed class a new version");
            }
            String earlier = typesByClass.putIfAbsent(payloadClass, type);
            if (earlier != null) {
                throw new EventRejectedException(payloadClass.getName() + " is already registered as '" + earlier
                        + "': a class stands for one event type, write another class for '" + type + "'");
            }
            return this;
        }

        public EventTypes build() {
            return new EventTypes(typesByClass);
        }
    }
}

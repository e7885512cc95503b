package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.SubscriptionConfig.TypeHandler;
import dev.tributary.outbox.schema.PayloadReader;
import dev.tributary.outbox.schema.UpcastEvent;
import dev.tributary.outbox.schema.Upcasters;
import dev.tributary.outbox.wire.WireHeaders;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A subscription's handlers, and what leads to them: an event is upcast, and its payload read for the handler of what it
 * is today. Thread-safe.
 */
final class Handlers {
    private static final Pattern VERSION = Pattern.compile("\\.v\\d{1,18}$");

    private static final Logger LOG = LoggerFactory.getLogger(Handlers.class);
    private static final int PASSED_OVER_LOGGED_MAX = 50;

    private final Map<String, TypeHandler<?>> byType;
    private final PayloadReader payloads;
    private final UnknownType policy;
    /** The old types of which at least one outcome has a handler. */
    private final Set<String> upcast = new HashSet<>();

    private final Set<String> handledNames = new HashSet<>();
    private final String subscription;
    /** The types that it has been said of that their events are passed over. */
    private final Set<String> passedOver = ConcurrentHashMap.newKeySet();

    /** @throws SubscriptionException if upcasters and handlers contradict each other */
    Handlers(String subscription, Map<String, TypeHandler<?>> handlers, PayloadReader payloads, UnknownType policy) {
        if (handlers.isEmpty()) {
            throw new SubscriptionException("subscription " + subscription + " has no handlers; add some with on(...)");
        }
        this.subscription = subscription;
        byType = Map.copyOf(handlers);
        this.payloads = payloads;
        this.policy = policy;
        handlers.keySet().forEach(type -> handledNames.add(name(type)));
        for (String type : handlers.keySet()) {
            if (!upcasters().isCurrent(type)) {
                throw new SubscriptionException("subscription " + subscription + ": the handler of " + type
                        + " would never be called, because upcasters make "
                        + upcasters().currentTypes(type)
                        + " of it; register it for that, or take the upcaster away");
            }
        }
        for (String type : upcasters().oldTypes()) {
            for (String current : upcasters().currentTypes(type)) {
                if (handlers.containsKey(current)) {
                    upcast.add(type);
                } else {
                    refuseDeadEnd(subscription, type, current);
                }
            }
        }
    }

    /** Upcasters may lead to types of other views; but not to a version that this one has left behind. */
    private void refuseDeadEnd(String subscription, String type, String end) {
        for (String handled : byType.keySet()) {
            if (name(handled).equals(name(end)) && version(handled) > version(end)) {
                throw new SubscriptionException("subscription " + subscription + ": upcasters lead from " + type
                        + " to " + end + ", which has no handler, while " + handled + " has one; add an upcaster from "
                        + end);
            }
        }
    }

    private Upcasters upcasters() {
        return payloads.upcasters();
    }

    /** What is to be done with one event that there is a handler for. */
    interface Call {
        <T> void call(TypeHandler<T> handler, Event<T> event) throws Exception;
    }

    /** Whether anything may be handled of events of this type. */
    boolean knows(String type) {
        return byType.containsKey(type) || upcast.contains(type);
    }

    /** The type, of those that events of this unknown type are today, that must not be passed over; null if all may. */
    @Nullable
    String refused(String unknownType) {
        for (String current : upcasters().currentTypes(unknownType)) {
            if (isRefused(current)) {
                return current;
            }
        }
        return null;
    }

    /** Says once of each type that there is no handler for it, which may be a slip of the pen. */
    void passedOver(String unknownType) {
        if (!passedOver.contains(unknownType)
                && passedOver.size() < PASSED_OVER_LOGGED_MAX
                && passedOver.add(unknownType)) {
            LOG.info(
                    "{}: events of type {} are passed over, since only {} have handlers",
                    subscription,
                    unknownType,
                    new TreeSet<>(byType.keySet()));
        }
    }

    private boolean isRefused(String unknownType) {
        return switch (policy) {
            case SKIP -> false;
            case SKIP_UNRELATED -> handledNames.contains(name(unknownType));
            case REFUSE -> true;
        };
    }

    /**
     * Reads the payload of an event that has a handler as it was written. Null if there is nothing to read, or it fails: then
     * it fails again in the event's turn.
     */
    @Nullable
    Object readAhead(Event<byte[]> event) {
        TypeHandler<?> handler = byType.get(event.type());
        try {
            return handler == null ? null : read(handler, event);
        } catch (RuntimeException | Error e) {
            return null;
        }
    }

    /**
     * Has an event handled whose type it {@link #knows}.
     *
     * @throws NoHandlerException if it turns out to be one that has no handler and must not be passed over
     * @throws Exception the payload's or the handler's failure
     */
    void dispatch(Decoded decoded, Call call) throws Exception {
        Event<byte[]> event = decoded.event();
        TypeHandler<?> handler = byType.get(event.type());
        if (handler != null) {
            direct(handler, event, decoded.takePayload(), call);
            return;
        }
        List<UpcastEvent> today = payloads.upcast(event.type(), contentType(event), event.payload());
        for (UpcastEvent each : today) {
            if (!byType.containsKey(each.type()) && isRefused(each.type())) {
                throw new NoHandlerException(each.type());
            }
        }
        for (UpcastEvent each : today) {
            TypeHandler<?> ofToday = byType.get(each.type());
            if (ofToday != null) {
                upcast(ofToday, each, event, call);
            }
        }
    }

    private <T> void direct(TypeHandler<T> handler, Event<byte[]> event, @Nullable Object readAhead, Call call)
            throws Exception {
        T payload = readAhead == null ? read(handler, event) : handler.payload().cast(readAhead);
        call.call(handler, event.become(event.id(), event.type(), payload));
    }

    private <T> T read(TypeHandler<T> handler, Event<byte[]> event) {
        return payloads.read(event.type(), contentType(event), event.payload(), handler.payload());
    }

    private <T> void upcast(TypeHandler<T> handler, UpcastEvent today, Event<byte[]> event, Call call)
            throws Exception {
        T payload = today.payload(handler.payload());
        call.call(handler, event.become(event.id() + today.idSuffix(), today.type(), payload));
    }

    private static @Nullable String contentType(Event<byte[]> event) {
        return event.headers().get(WireHeaders.CONTENT_TYPE);
    }

    private static String name(String type) {
        return VERSION.matcher(type).replaceFirst("");
    }

    /** 0 for types without one. */
    private static long version(String type) {
        String digits = type.substring(name(type).length());
        return digits.isEmpty() ? 0 : Long.parseLong(digits.substring(2));
    }
}

package dev.tributary.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;

class EventTypesTest {
    record OrderPlaced() {}

    record OrderPlacedV2() {}

    interface Event {}

    @Test
    void eachClassHasItsNameAndVersion() {
        EventTypes types = EventTypes.builder()
                .register("order.placed", 1, OrderPlaced.class)
                .register("order.placed", 2, OrderPlacedV2.class)
                .build();
        assertThat(types.typeOf(OrderPlaced.class)).isEqualTo("order.placed.v1");
        assertThat(types.typeOf(OrderPlacedV2.class)).isEqualTo("order.placed.v2");
    }

    @Test
    void laterRegistrationsDoNotChangeWhatWasBuilt() {
        EventTypes.Builder builder = EventTypes.builder();
        EventTypes types = builder.build();
        builder.register("order.placed", 1, OrderPlaced.class);
        assertThatThrownBy(() -> types.typeOf(OrderPlaced.class)).hasMessageContaining("not registered");
    }

    @Test
    void doubleAndUnusableRegistrationsAreRefused() {
        assertRefused("order.placed", 1, OrderPlacedV2.class)
                .hasMessageContaining("'order.placed.v1' is registered twice");
        assertRefused("other", 1, OrderPlaced.class).hasMessageContaining("already registered as 'order.placed.v1'");
        assertRefused("other", 0, OrderPlacedV2.class).hasMessageContaining("versions start at 1");
        assertRefused("other", 1, Event.class).hasMessageContaining("register the concrete classes");
        assertRefused(" ", 1, OrderPlacedV2.class).hasMessageContaining("event name ' '");
        assertRefused(null, 1, OrderPlacedV2.class).hasMessageContaining("event name null");
        assertRefused("x".repeat(254), 1, OrderPlacedV2.class).hasMessageContaining("at most 255");
    }

    private static AbstractThrowableAssert<?, ?> assertRefused(String name, int version, Class<?> payloadClass) {
        EventTypes.Builder builder = EventTypes.builder().register("order.placed", 1, OrderPlaced.class);
        return assertThatThrownBy(() -> builder.register(name, version, payloadClass))
                .isInstanceOf(EventRejectedException.class);
    }
}

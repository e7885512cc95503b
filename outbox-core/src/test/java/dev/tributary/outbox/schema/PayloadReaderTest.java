package dev.tributary.outbox.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PayloadReaderTest {
    private final PayloadReader reader = PayloadReader.of(Upcasters.none());

    @NullMarked
    record Order(
            String id,
            List<Line> lines,
            @Nullable String note,
            @Nullable Integer discount,
            @Nullable Instant at) {}

    @NullMarked
    record Line(
            @JsonProperty("sku") String product,
            long price,
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<String> tags) {}

    @NullUnmarked
    record Loose(String name, Integer boxed, int amount) {
        Loose(String name) {
            this(name, 0, 0);
        }
    }

    @NullMarked
    static class Outer {
        @NullUnmarked
        record Unmarked(String name) {}

        record Marked(String name) {}
    }

    static class Bean {
        public String name;
        public int amount;
    }

    private <T> T read(Class<T> type, String json) {
        return reader.read("order.placed.v2", null, json.getBytes(StandardCharsets.UTF_8), type);
    }

    private void refused(Class<?> type, String json, String message) {
        assertThatThrownBy(() -> read(type, json))
                .isInstanceOf(SchemaException.class)
                .hasMessage("order.placed.v2: " + message);
    }

    @Test
    void unknownFieldsAreIgnoredAndOptionalOnesMayBeMissing() {
        assertThat(
                        read(
                                Order.class,
                                "{\"id\":\"1\",\"new\":{\"a\":[1]},\"lines\":[{\"sku\":\"tea\",\"price\":5,\"tags\":null,\"colour\":1}],\"discount\":null}"))
                .isEqualTo(new Order("1", List.of(new Line("tea", 5, List.of())), null, null, null));
    }

    @Test
    void missingRequiredFieldsAreRefusedWithTheirPath() {
        String line = "{\"sku\":\"tea\",\"price\":5,\"tags\":[]}";
        refused(
                Order.class,
                "{\"id\":\"1\",\"lines\":[" + line + "," + line + "," + line + ",{\"sku\":\"tea\",\"tags\":[]}]}",
                "lines[3].price is missing");
        refused(Order.class, "{\"id\":\"1\",\"lines\":[{\"price\":5,\"tags\":[]}]}", "lines[0].sku is missing");
        refused(Order.class, "{\"id\":\"1\",\"lines\":[{\"sku\":null,\"price\":5}]}", "lines[0].sku is null");
        refused(Order.class, "{\"id\":\"1\",\"lines\":[{\"sku\":\"a\",\"price\":null}]}", "lines[0].price is null");
        refused(Order.class, "{\"lines\":[]}", "id is missing");
        refused(Order.class, "{\"id\":\"1\"}", "lines is missing");
        refused(Outer.Marked.class, "{}", "name is missing");
    }

    @Test
    void withoutNullMarkedOnlyPrimitivesAreRequired() {
        assertThat(read(Loose.class, "{\"amount\":1}")).isEqualTo(new Loose(null, null, 1));
        refused(Loose.class, "{\"name\":\"a\"}", "amount is missing");
        assertThat(read(Outer.Unmarked.class, "{}")).isEqualTo(new Outer.Unmarked(null));
    }

    @Test
    void beansAreReadAsJacksonDoes() {
        assertThat(read(Bean.class, "{\"later\":1}")).returns(0, bean -> bean.amount);
        assertThat(read(Object.class, "{\"a\":1}")).hasToString("{a=1}");
    }

    @Test
    void wrongKindsOfValuesAreRefusedWithTheirPath() {
        assertThatThrownBy(() -> read(Order.class, "{\"id\":\"1\",\"lines\":[{\"sku\":\"a\",\"price\":\"many\"}]}"))
                .hasMessageStartingWith("order.placed.v2: lines[0].price: Cannot deserialize value of type `long`");
        refused(Order.class, "null", "payload is JSON null");
        assertThatThrownBy(() -> read(Order.class, "")).hasMessageStartingWith("order.placed.v2: ");
        assertThatThrownBy(() -> reader.read("a.v1", "text/plain", new byte[0], Order.class))
                .hasMessageStartingWith("a.v1: payload is text/plain, not JSON");
        assertThat(reader.read(
                        "a.v1",
                        "Application/CloudEvents+JSON; charset=utf-8",
                        "1".getBytes(StandardCharsets.UTF_8),
                        Integer.class))
                .isEqualTo(1);
    }

    @Test
    void requirednessHoldsForTheApplicationsMapperWhichIsLeftAlone() {
        ObjectMapper own = new ObjectMapper();
        PayloadReader strict = new PayloadReader(own, Upcasters.none());
        byte[] empty = "{}".getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> strict.read("a.v1", null, empty, Loose.class)).hasMessage("a.v1: amount is missing");
        assertThat(own.getRegisteredModuleIds()).isEmpty();
    }

    @Test
    void pathsHoldForWhatUpcastersMade() {
        PayloadReader upcasting = PayloadReader.of(Upcasters.builder()
                .upcast("order.placed.v1", "order.placed.v2", tree -> tree.put("id", "1"))
                .build());
        byte[] old = "{\"lines\":[{\"sku\":\"tea\"}]}".getBytes(StandardCharsets.UTF_8);
        UpcastEvent event = upcasting.upcast("order.placed.v1", null, old).get(0);
        assertThatThrownBy(() -> event.payload(Order.class))
                .isInstanceOf(SchemaException.class)
                .hasMessage("order.placed.v2 (written as order.placed.v1): lines[0].price is missing");
    }
}

package dev.tributary.outbox.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.outbox.schema.Upcasters.Part;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class UpcastersTest {
    record NameV2(String full) {}

    record NameV3(String given, String family) {}

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<UpcastEvent> upcast(Upcasters upcasters, String type, String json) {
        return PayloadReader.of(upcasters).upcast(type, null, utf8(json));
    }

    private static String json(UpcastEvent event) {
        return new String(event.payload(byte[].class), StandardCharsets.UTF_8);
    }

    /** From a field's name, by way of objects, and a tree again, to another event. */
    private static final Upcasters NAMES = Upcasters.builder()
            .upcast("named.v1", "named.v2", tree -> {
                tree.set("full", tree.remove("name"));
                return tree;
            })
            .upcast("named.v2", NameV2.class, "named.v3", old -> {
                String[] parts = old.full().split(" ", 2);
                return new NameV3(parts[0], parts[1]);
            })
            .rename("named.v3", "called.v1")
            .upcast("called.v1", "called.v2", tree -> tree.put("formal", false))
            .build();

    @Test
    void stepsOnTreesAndOnTypesFollowEachOther() {
        assertThat(upcast(NAMES, "named.v1", "{\"name\":\"Ada Lovelace\",\"more\":1}"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.type()).isEqualTo("called.v2");
                    assertThat(event.idSuffix()).isEmpty();
                    assertThat(json(event)).isEqualTo("{\"given\":\"Ada\",\"family\":\"Lovelace\",\"formal\":false}");
                    assertThat(event.payload(NameV3.class)).isEqualTo(new NameV3("Ada", "Lovelace"));
                });
        assertThat(json(upcast(NAMES, "called.v1", "{\"given\":\"G\"}").get(0)))
                .isEqualTo("{\"given\":\"G\",\"formal\":false}");
    }

    @Test
    void whatIsCurrentStaysAsItWasWritten() {
        byte[] payload = utf8("{ \"as\":  \"written\" }");
        UpcastEvent event =
                PayloadReader.of(NAMES).upcast("called.v2", null, payload).get(0);
        assertThat(event.payload(byte[].class)).isSameAs(payload);
        assertThat(NAMES.isCurrent("called.v2")).isTrue();
        assertThat(NAMES.isCurrent("named.v1")).isFalse();
        assertThat(NAMES.currentTypes("named.v1")).containsExactly("called.v2");
    }

    @Test
    void renamedPayloadNeedNotBeJson() {
        Upcasters renamed = Upcasters.builder().rename("a.v1", "b.v1").build();
        byte[] avro = {0, 1, 2};
        UpcastEvent event =
                PayloadReader.of(renamed).upcast("a.v1", "avro/binary", avro).get(0);
        assertThat(event.payload(byte[].class)).isSameAs(avro);
        assertThatThrownBy(() -> event.payload(NameV2.class))
                .isInstanceOf(SchemaException.class)
                .hasMessage(
                        "b.v1 (written as a.v1): payload is avro/binary, not JSON: register byte[].class to read it as it is");
    }

    @Test
    void objectThatAnUpcasterMadeIsHandedOnAsItIs() {
        NameV3 made = new NameV3("a", "b");
        Upcasters upcasters = Upcasters.builder()
                .upcast("n.v2", NameV2.class, "n.v3", old -> made)
                .build();
        assertThat(upcast(upcasters, "n.v2", "{\"full\":\"x\"}").get(0).payload(NameV3.class))
                .isSameAs(made);
    }

    @Test
    void splitEventsHaveIdsOfTheirOwnAndTheirOrder() {
        Upcasters upcasters = Upcasters.builder()
                .split("placed.v1", ObjectNode.class, Set.of("placed.v2", "addressed.v1"), old -> {
                    ObjectNode address = JsonNodeFactory.instance.objectNode();
                    address.set("city", old.remove("city"));
                    return List.of(new Part("placed.v2", old), new Part("addressed.v1", address));
                })
                .split(
                        "addressed.v1",
                        ObjectNode.class,
                        Set.of("moved.v1", "told.v1"),
                        old -> List.of(new Part("moved.v1", old), new Part("told.v1", old)))
                .upcast("moved.v1", "moved.v2", tree -> tree.put("moved", true))
                .build();
        List<UpcastEvent> events = upcast(upcasters, "placed.v1", "{\"id\":1,\"city\":\"Graz\"}");
        assertThat(events.stream().map(event -> event.idSuffix() + " " + event.type() + " " + json(event)))
                .containsExactly(
                        "#1 placed.v2 {\"id\":1}",
                        "#2#1 moved.v2 {\"city\":\"Graz\",\"moved\":true}",
                        "#2#2 told.v1 {\"city\":\"Graz\"}");
        assertThat(upcasters.currentTypes("placed.v1")).containsExactlyInAnyOrder("placed.v2", "moved.v2", "told.v1");
    }

    @Test
    void eventMayBecomeNothing() {
        Upcasters upcasters = Upcasters.builder()
                .split("noise.v1", ObjectNode.class, Set.of(), old -> List.of())
                .build();
        assertThat(upcast(upcasters, "noise.v1", "{}")).isEmpty();
        assertThat(upcasters.currentTypes("noise.v1")).isEmpty();
    }

    @Test
    void failuresNameTheStep() {
        Upcasters upcasters = Upcasters.builder()
                .upcast("a.v1", "a.v2", tree -> tree)
                .upcast("a.v2", "a.v3", tree -> {
                    throw new IllegalStateException("no name");
                })
                .upcast("null.v1", "null.v2", tree -> null)
                .split("s.v1", ObjectNode.class, Set.of("s.v2"), tree -> List.of(new Part("s.v3", tree)))
                .build();
        assertThatThrownBy(() -> upcast(upcasters, "a.v1", "{}"))
                .isInstanceOf(SchemaException.class)
                .hasMessage(
                        "the upcaster from a.v2 (written as a.v1) to [a.v3] failed: java.lang.IllegalStateException: no name");
        assertThatThrownBy(() -> upcast(upcasters, "null.v1", "{}"))
                .hasMessageContaining("null.v1 to [null.v2] returned null");
        assertThatThrownBy(() -> upcast(upcasters, "s.v1", "{}"))
                .hasMessage("the split of s.v1 made a s.v3, but was declared to make [s.v2]");
        assertThatThrownBy(() -> upcast(upcasters, "a.v1", "[1]")).hasMessageStartingWith("a.v1: ");
        assertThatThrownBy(() -> upcast(upcasters, "a.v1", "{"))
                .hasMessageStartingWith("a.v1: Unexpected end-of-input");
    }

    @Test
    void contradictionsAreRefusedWhenBuilt() {
        assertThatThrownBy(() -> Upcasters.builder().rename("a.v1", "a.v2").upcast("a.v1", "a.v3", tree -> tree))
                .isInstanceOf(SchemaException.class)
                .hasMessageContaining("two upcasters from a.v1, to [a.v2] and to [a.v3]");
        assertThatThrownBy(() -> Upcasters.builder().rename("a.v1", "a.v1").build())
                .hasMessageContaining("a.v1 -> a.v1");
        assertThatThrownBy(() -> Upcasters.builder()
                        .rename("start.v1", "a.v1")
                        .split("a.v1", ObjectNode.class, Set.of("x.v1", "b.v1"), old -> List.of())
                        .rename("b.v1", "c.v1")
                        .rename("c.v1", "a.v1")
                        .build())
                .hasMessageContaining("a.v1 -> b.v1 -> c.v1 -> a.v1;");
        assertThatThrownBy(() -> Upcasters.builder().rename("a.v1", " ")).hasMessageContaining("lacks a type");
    }

    /** Random forests of steps, each of which writes its name: what comes out must have gone every step, in order. */
    @Test
    void everyEventGoesItsWholeWayAndEveryResultHasAnIdOfItsOwn() {
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            int types = 2 + random.nextInt(8);
            Upcasters.Builder builder = Upcasters.builder();
            List<Integer> fanOut = new ArrayList<>();
            for (int i = 0; i < types; i++) {
                fanOut.add(step(builder, i, types, random));
            }
            Upcasters upcasters = builder.build();
            AtomicInteger expected = new AtomicInteger();
            ends(0, types, fanOut, expected);

            List<UpcastEvent> events = upcast(upcasters, "t0", "{\"way\":\"\"}");

            assertThat(events).as("seed %d", seed).hasSize(expected.get());
            assertThat(events.stream().map(UpcastEvent::idSuffix)).doesNotHaveDuplicates();
            for (UpcastEvent event : events) {
                String way = event.payload(ObjectNode.class).get("way").asText() + event.type();
                List<Integer> steps = Stream.of(way.substring(1).split("t"))
                        .map(Integer::valueOf)
                        .toList();
                assertThat(steps)
                        .as("seed %d", seed)
                        .isSorted()
                        .doesNotHaveDuplicates()
                        .startsWith(0);
                assertThat(upcasters.isCurrent(event.type())).isTrue();
            }
            assertThat(upcast(upcasters, "t0", "{\"way\":\"\"}").stream().map(e -> e.idSuffix() + json(e)))
                    .as("the same again")
                    .containsExactlyElementsOf(
                            events.stream().map(e -> e.idSuffix() + json(e)).toList());
        }
    }

    /** A step from type i to i+1, or to as many of the following types as is returned, or none at all. */
    private static int step(Upcasters.Builder builder, int i, int types, Random random) {
        int following = types - i - 1;
        String from = "t" + i;
        int kind = random.nextInt(4);
        if (following == 0 || kind == 0) {
            return 0;
        }
        if (kind < 3) {
            builder.upcast(
                    from, "t" + (i + 1), tree -> tree.put("way", tree.get("way").asText() + from));
            return 1;
        }
        int n = 1 + random.nextInt(Math.min(3, following));
        List<String> to =
                Stream.iterate(i + 1, t -> t + 1).limit(n).map(t -> "t" + t).toList();
        builder.split(from, ObjectNode.class, Set.copyOf(to), tree -> {
            tree.put("way", tree.get("way").asText() + from);
            return to.stream().map(type -> new Part(type, tree)).toList();
        });
        return n;
    }

    private static void ends(int i, int types, List<Integer> fanOut, AtomicInteger count) {
        if (fanOut.get(i) == 0) {
            count.incrementAndGet();
        }
        for (int next = 1; next <= fanOut.get(i); next++) {
            ends(i + next, types, fanOut, count);
        }
    }
}

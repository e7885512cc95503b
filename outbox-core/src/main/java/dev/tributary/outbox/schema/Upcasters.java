package dev.tributary.outbox.schema;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of events of types that are not written any more, one step at a time: {@code order.placed.v1} to {@code
 * v2}, {@code v2} to {@code v3}, and so on to types that have no step further, which are <em>current</em>. Immutable and
 * thread-safe, as the functions given must be.
 */
public final class Upcasters {
    private static final Upcasters NONE = builder().build();

    private final Map<String, Step> steps;

    private Upcasters(Map<String, Step> steps) {
        this.steps = Map.copyOf(steps);
    }

    /** Every type is current. */
    public static Upcasters none() {
        return NONE;
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * One of the events that another is split into.
     *
     * @param payload an {@link ObjectNode}, or whatever Jackson can write
     */
    public record Part(String type, Object payload) {}

    /**
     * From one type to the next: reads a payload as {@code input}, and makes events of it.
     *
     * @param input null for the payload in whatever shape it is
     */
    record Step(@Nullable Class<?> input, Set<String> to, boolean split, Function<Object, List<Part>> change) {}

    /** Whether events of this type are read as they are. */
    public boolean isCurrent(String type) {
        return !steps.containsKey(type);
    }

    /** The types with a step further. */
    public Set<String> oldTypes() {
        return steps.keySet();
    }

    /** The types that events of this type may end as: only itself if it is current, several after a split. */
    public Set<String> currentTypes(String type) {
        Set<String> current = new LinkedHashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(type));
        while (!open.isEmpty()) {
            String next = open.removeFirst();
            Step step = steps.get(next);
            if (step == null) {
                current.add(next);
            } else {
                open.addAll(step.to());
            }
        }
        return current;
    }

    @Nullable
    Step step(String type) {
        return steps.get(type);
    }

    /** Not thread-safe. */
    public static final class Builder {
        private final Map<String, Step> steps = new LinkedHashMap<>();

        private Builder() {}

        /**
         * A step on JSON.
         *
         * @param change may change and return what it is given
         * @throws SchemaException if {@code from} has a step already
         */
        public Builder upcast(String from, String to, UnaryOperator<ObjectNode> change) {
            return upcast(from, ObjectNode.class, to, change);
        }

        /**
         * A step on types.
         *
         * @param as what payloads of {@code from} are read as
         * @param change returns the payload of {@code to}: whatever Jackson can write. If handlers, or the next step, ask
         *     for its very class they get the object itself
         * @throws SchemaException if {@code from} has a step already
         */
        public <A> Builder upcast(String from, Class<A> as, String to, Function<? super A, ?> change) {
            return add(from, new Step(as, Set.of(to), false, old -> List.of(new Part(to, change.apply(as.cast(old))))));
        }

        /**
         * Another name, or the next version of something that only means more: the payload stays as it is.
         *
         * @throws SchemaException if {@code from} has a step already
         */
        public Builder rename(String from, String to) {
            return add(from, new Step(null, Set.of(to), false, old -> List.of(new Part(to, old))));
        }

        /**
         * A step that makes any number of events of one: several of what used to be told in one, or none of what means
         * nothing any more. They are handled in the list's order and in one transaction.
         *
         * @param as what payloads of {@code from} are read as; {@link ObjectNode} for JSON
         * @param to all types that {@code change} may return
         * @throws SchemaException if {@code from} has a step already
         */
        public <A> Builder split(String from, Class<A> as, Set<String> to, Function<? super A, List<Part>> change) {
            return add(from, new Step(as, Set.copyOf(to), true, old -> change.apply(as.cast(old))));
        }

        private Builder add(String from, Step step) {
            if (from.isBlank() || step.to().stream().anyMatch(String::isBlank)) {
                throw new SchemaException("an upcaster from '" + from + "' to " + step.to() + " lacks a type");
            }
            Step other = steps.putIfAbsent(from, step);
            if (other != null) {
                throw new SchemaException("there are two upcasters from " + from + ", to " + other.to() + " and to "
                        + step.to() + ": an event goes one way; use split(...) to make several of it");
            }
            return this;
        }

        /**
         * Checks that all ways end.
         *
         * @throws SchemaException if a type leads back to itself
         */
        public Upcasters build() {
            for (String type : steps.keySet()) {
                refuseCycle(type, new ArrayList<>());
            }
            return new Upcasters(steps);
        }

        private void refuseCycle(String type, List<String> path) {
            int before = path.indexOf(type);
            path.add(type);
            if (before >= 0) {
                throw new SchemaException("upcasters go in a circle: "
                        + String.join(" -> ", path.subList(before, path.size()))
                        + "; remove the one that leads back");
            }
            Step step = steps.get(type);
            if (step != null) {
                step.to().forEach(next -> refuseCycle(next, path));
            }
            path.remove(path.size() - 1);
        }
    }
}

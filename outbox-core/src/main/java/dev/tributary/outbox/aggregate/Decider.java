package dev.tributary.outbox.aggregate;

import java.util.List;

/**
 * An aggregate as functions, without side effects: what a command leads to, and what an event changes. (Jérémie Chassaing,
 * "Functional Event Sourcing Decider", 2021.) To be thread-safe, as functions are.
 *
 * @param <C> commands; best a sealed interface of records
 * @param <S> the state; best an immutable record or sealed interface
 * @param <E> events; best a sealed interface of records, each registered in {@link dev.tributary.outbox.EventTypes}
 */
public interface Decider<C, S, E> {
    /** The state before the first event. */
    S initial();

    /**
     * What happens because of a command; nothing, if it changes nothing. May be asked again with a newer state. Whatever it
     * throws, to refuse the command, reaches the caller as it is.
     */
    List<E> decide(C command, S state);

    /** The state after an event. Events are facts: it refuses none. */
    S evolve(S state, E event);
}

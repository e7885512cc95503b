package dev.tributary.outbox;

/**
 * An aggregate's state after the events that it is appended with. It replaces the one before.
 *
 * @param type that of the {@link Fold.Snapshots} which are to find it
 * @param state whatever Jackson can write
 */
public record NewSnapshot(String type, Object state) {}

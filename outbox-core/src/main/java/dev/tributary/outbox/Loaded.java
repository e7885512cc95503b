package dev.tributary.outbox;

/**
 * An aggregate as its events tell.
 *
 * @param state what they amount to; the initial state if there are none
 * @param sequence the last one's number, to be expected when appending; 0 if there are none
 * @param snapshotSequence the last one that was part of the snapshot which loading began with; 0 without one
 */
public record Loaded<S>(S state, long sequence, long snapshotSequence) {}

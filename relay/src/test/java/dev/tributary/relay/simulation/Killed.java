package dev.tributary.relay.simulation;

/** Unwinds a relay that is no more. Nothing that it does on the way reaches the world. */
final class Killed extends Error {
    Killed() {
        super(null, null, true, false);
    }
}

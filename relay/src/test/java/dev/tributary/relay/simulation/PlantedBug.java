package dev.tributary.relay.simulation;

/** Mistakes that a relay could make, put between it and the world to see whether the simulation notices. */
enum PlantedBug {
    NONE,
    /** Now and then an event counts as acknowledged when it is only on its way. */
    CONFIRM_ONE_TOO_EARLY,
    /** A producer that has failed goes on with its next batch. */
    FORGET_THE_PREFIX_RULE,
    /** After a restart, all that is not above the highest position in Kafka is skipped. */
    SKIP_BY_HIGHEST_PARTITION
}

package dev.tributary.relay.simulation;

import java.util.Objects;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/** Runs the world from many seeds, or from the one that {@code -Dsimulation.seed=} names, with all that is logged. */
final class Seeds {
    private static final @Nullable Long ONLY = Long.getLong("simulation.seed");

    private Seeds() {}

    /** What goes wrong with the first of these seeds that something goes wrong with; null if nothing does. */
    static @Nullable String firstFailure(long from, long to, PlantedBug bug) {
        LongStream seeds = ONLY == null ? LongStream.range(from, to) : LongStream.of(ONLY);
        return seeds.parallel()
                .mapToObj(seed -> failure(seed, bug))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    static @Nullable String failure(long seed, PlantedBug bug) {
        if (ONLY == null) {
            MDC.put("simulated", "yes"); // logback-test.xml: then nothing is logged
        }
        try {
            World world = new World(seed, bug);
            world.run();
            String wrong = Verdict.on(world);
            return wrong == null ? null : wrong + "\nTo see how it came to that: " + command(seed);
        } finally {
            MDC.remove("simulated");
        }
    }

    private static String command(long seed) {
        return "./mvnw -pl relay -am test -Dtest=SimulationTest#aFewSeedsEndWell"
                + " -Dsurefire.failIfNoSpecifiedTests=false -Dsimulation.seed=" + seed;
    }
}

package dev.tributary.relay.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The relay's real code in a hundred thousand worlds that go wrong in their own ways. */
@Timeout(600)
class SimulationIT {
    /** Others than {@link SimulationTest} looks at. */
    private static final long FIRST_SEED = 1_000_000;

    private static final long SEEDS = 100_000;

    @Test
    void everySeedEndsWell() {
        assertThat(Seeds.firstFailure(FIRST_SEED, FIRST_SEED + SEEDS, PlantedBug.NONE))
                .isNull();
    }
}

package dev.tributary.relay.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A look at the simulation that takes seconds; {@link SimulationIT} takes its time. */
@Timeout(300)
class SimulationTest {
    private static final long SEEDS = 3_000;
    private static final long SEEDS_TO_FIND_A_BUG = 30_000;

    @Test
    void aFewSeedsEndWell() {
        assertThat(Seeds.firstFailure(0, SEEDS, PlantedBug.NONE)).isNull();
    }

    /** Who finds nothing has to show that there was something to be found. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aPlantedBugIsFound(PlantedBug bug) {
        assertThat(Seeds.firstFailure(0, SEEDS_TO_FIND_A_BUG, bug)).isNotNull();
    }
}

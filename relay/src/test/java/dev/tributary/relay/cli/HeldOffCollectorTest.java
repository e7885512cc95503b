package dev.tributary.relay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.localstack.JavaProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Asks Java itself, so that each case is a JVM of its own. */
class HeldOffCollectorTest {
    private static final Duration SOON = Duration.ofMinutes(1);

    @ParameterizedTest
    @CsvSource({
        "-XX:+UseG1GC, 22",
        "-XX:+UseSerialGC, 25",
        "-XX:+UseParallelGC, 25",
        "-XX:+UnlockDiagnosticVMOptions, 22",
    })
    void isWarnedOfUpToTheJavaThatMendedIt(String options, int mendedIn) {
        boolean concerned = Runtime.version().feature() < mendedIn;
        assertThat(said(3, options)).containsExactly("null");
        assertThat(said(4, options)).singleElement().satisfies(line -> assertThat(
                        line.contains("-XX:+UnlockDiagnosticVMOptions -XX:GCLockerRetryAllocationCount=1000")
                                && line.contains("or take Java " + mendedIn))
                .as(line)
                .isEqualTo(concerned));
    }

    @ParameterizedTest
    @CsvSource({
        "-XX:+UseZGC",
        // As bin/relay has it
        "-XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:GCLockerRetryAllocationCount=1000",
        "-XX:+UseSerialGC -XX:+IgnoreUnrecognizedVMOptions -XX:+UnlockDiagnosticVMOptions -XX:GCLockerRetryAllocationCount=9",
    })
    void isNotWarnedOfWhereNothingIsHeldOffOrPatienceIsSet(String options) {
        assertThat(said(50, options)).containsExactly("null");
    }

    private static List<String> said(int sources, String options) {
        List<String> output = new CopyOnWriteArrayList<>();
        try (JavaProcess process = JavaProcess.main(HeldOffCollectorTest.class)
                .jvmArgs("-Xmx64m", "-XX:TieredStopAtLevel=1")
                .jvmArgs(options.split(" "))
                .args(Integer.toString(sources))
                .output(output::add)
                .start()) {
            assertThat(process.waitFor(SOON)).isTrue();
        }
        return output;
    }

    public static void main(String[] args) {
        System.out.println(HeldOffCollector.warning(Integer.parseInt(args[0])));
    }
}

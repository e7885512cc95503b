package dev.tributary.relay.cli;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.VMOption;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/**
 * Native code that holds an array, as LZ4 does while it compresses, holds off some garbage collectors. Where many threads do,
 * Java may refuse memory to one that there is: it gives up after few attempts, unless an option allows it more
 * (JDK-8308507, JDK-8192647).
 */
final class HeldOffCollector {
    /** Fewer were never seen to get there. */
    private static final int SOURCES_MIN = 4;

    private static final String ATTEMPTS = "GCLockerRetryAllocationCount";
    /** As in {@code bin/relay}. */
    private static final String REMEDY = "-XX:+UnlockDiagnosticVMOptions -XX:" + ATTEMPTS + "=1000";

    private static final int G1_MENDED_IN = 22;
    private static final int OTHERS_MENDED_IN = 25;

    private HeldOffCollector() {}

    /** What an operator of so many sources should know of this JVM; null if nothing. */
    static @Nullable String warning(int sources) {
        return sources >= SOURCES_MIN && isThisJvm()
                ? "with " + sources + " sources that catch up at once, this Java (" + Runtime.version()
                        + ") may end with an OutOfMemoryError although there is memory; start the relay with bin/relay,"
                        + " or with java " + REMEDY + " -jar relay.jar run ..., or take Java "
                        + (isOn("UseG1GC") ? G1_MENDED_IN : OTHERS_MENDED_IN) + " or later"
                : null;
    }

    private static boolean isThisJvm() {
        int java = Runtime.version().feature();
        boolean held = (isOn("UseG1GC") && java < G1_MENDED_IN)
                || ((isOn("UseSerialGC") || isOn("UseParallelGC")) && java < OTHERS_MENDED_IN);
        VMOption attempts = option(ATTEMPTS); // which is not told, either, unless it is unlocked
        return held && (attempts == null || attempts.getOrigin() == VMOption.Origin.DEFAULT);
    }

    private static boolean isOn(String name) {
        VMOption option = option(name);
        return option != null && option.getValue().equals("true");
    }

    /** Null if this JVM does not tell. */
    private static @Nullable VMOption option(String name) {
        try {
            HotSpotDiagnosticMXBean jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
            return jvm == null ? null : jvm.getVMOption(name);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}

package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.util.Map;

/** What figures are of, who else was at work, and how it is kept quiet. */
final class Machine {
    /** So that no round is disturbed by a checkpoint or a vacuum. */
    static final Map<String, String> QUIET_POSTGRES = Map.of(
            "shared_buffers", "512MB",
            "max_wal_size", "16GB",
            "checkpoint_timeout", "1h",
            "autovacuum", "off");

    private Machine() {}

    /** Of the whole machine; what others do on it shows here. */
    static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }

    static ObjectNode json() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("java", System.getProperty("java.vm.version"))
                .put("loadAtStart", load());
    }
}

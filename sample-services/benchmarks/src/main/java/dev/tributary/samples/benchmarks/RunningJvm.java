package dev.tributary.samples.benchmarks;

import dev.tributary.localstack.JavaProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a JVM with Prometheus metrics takes of its machine, as Linux's {@code /proc} and it itself tell. */
final class RunningJvm {
    private static final Pattern INODE = Pattern.compile("socket:\\[(\\d+)]");
    private static final int REMOTE_ADDRESS = 2;
    private static final int STATE = 3;
    private static final int INODE_FIELD = 9;
    private static final String ESTABLISHED = "01";

    private final long pid;
    private final URI metrics;
    private final HttpClient http = HttpClient.newHttpClient();

    /** @param address where it answers */
    RunningJvm(JavaProcess process, URI address) {
        this.pid = process.pid();
        this.metrics = address.resolve("/prometheus");
    }

    double cpuSeconds() {
        return CpuTime.of(pid);
    }

    long threads() throws IOException {
        return status("Threads");
    }

    /** What it has in memory now, KiB. */
    long residentKibibytes() throws IOException {
        return status("VmRSS");
    }

    /** What it had in memory at most, KiB. */
    long residentMaxKibibytes() throws IOException {
        return status("VmHWM");
    }

    private long status(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .filter(line -> line.startsWith(name + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /** Bytes of its heap that are in use once it has collected its garbage. */
    double liveHeapBytes() throws IOException, InterruptedException {
        Process collection = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(pid),
                        "GC.run")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start();
        if (!collection.waitFor(20, TimeUnit.SECONDS) || collection.exitValue() != 0) {
            return Double.NaN; // not a JDK
        }
        HttpRequest request = HttpRequest.newBuilder(metrics).build();
        return http.send(request, BodyHandlers.ofLines())
                .body()
                .filter(line -> line.startsWith("jvm_memory_used_bytes{") && line.contains("area=\"heap\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** Its connections to a port. */
    int connectionsTo(int port) throws IOException {
        Set<String> own = new HashSet<>();
        try (var descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                Matcher socket = INODE.matcher(
                        Files.exists(descriptor, java.nio.file.LinkOption.NOFOLLOW_LINKS)
                                ? Files.readSymbolicLink(descriptor).toString()
                                : "");
                if (socket.matches()) {
                    own.add(socket.group(1));
                }
            }
        }
        String remote = String.format(":%04X", port);
        int connections = 0;
        for (String table : new String[] {"tcp", "tcp6"}) {
            for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/net/" + table))) {
                String[] fields = line.strip().split("\\s+", -1);
                if (fields.length > INODE_FIELD
                        && fields[REMOTE_ADDRESS].endsWith(remote)
                        && fields[STATE].equals(ESTABLISHED)
                        && own.contains(fields[INODE_FIELD])) {
                    connections++;
                }
            }
        }
        return connections;
    }
}

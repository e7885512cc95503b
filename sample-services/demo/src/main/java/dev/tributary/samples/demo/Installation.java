package dev.tributary.samples.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** Where the jars lie, relative to this one's own, and a directory for what a run writes. */
final class Installation {
    private final Path root;
    private final Path run;

    private Installation(Path root, Path run) {
        this.root = root;
        this.run = run;
    }

    /** Finds the jars and empties the directory of the last run. */
    static Installation find() throws IOException {
        Path target = ownJar().resolveSibling("");
        Installation installation = new Installation(target.resolve("../../..").normalize(), target.resolve("run"));
        for (String name : new String[] {Services.RELAY, Services.SALES, Services.FULFILMENT, Services.SUPPORT}) {
            if (!Files.exists(installation.jar(name))) {
                throw new IllegalStateException(
                        installation.jar(name) + " is missing: build it with sample-services/demo/run.sh");
            }
        }
        installation.clear();
        Files.createDirectories(installation.run);
        return installation;
    }

    private static Path ownJar() {
        try {
            return Path.of(Installation.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    Path jar(String module) {
        Path directory = module.equals(Services.RELAY) ? root : root.resolve("sample-services");
        return directory.resolve(module).resolve("target").resolve(module + ".jar");
    }

    Path log(String module) {
        return file(module + ".log");
    }

    Path file(String name) {
        return run.resolve(name);
    }

    /** Where the logs are. */
    Path directory() {
        return run;
    }

    /** Deletes what the run has written. */
    void clear() {
        if (Files.exists(run)) {
            try (Stream<Path> paths = Files.walk(run)) {
                for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

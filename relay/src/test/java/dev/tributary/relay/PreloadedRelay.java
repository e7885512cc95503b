package dev.tributary.relay;

import dev.tributary.localstack.JavaProcess;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * {@link RelayProcess} for tests that start many: with its classes in an archive that the JVM maps into memory, as loading them
 * is half of a start's CPU time. Archives want jars, and tests come from a directory: so a jar is made.
 */
final class PreloadedRelay {
    private static final Duration END_MAX = Duration.ofMinutes(2);

    private final Path jar;
    private final Path archive;

    private PreloadedRelay(Path directory) {
        jar = directory.resolve("relay-process.jar");
        archive = directory.resolve("relay-process.jsa");
    }

    /** Has a relay of {@code source} stream once, and keeps the classes that this took. */
    static PreloadedRelay make(Path directory, SourceUnderTest source) throws InterruptedException {
        PreloadedRelay made = new PreloadedRelay(directory);
        made.writeJar();
        CountDownLatch streams = new CountDownLatch(1);
        try (JavaProcess first = made.start(source, streams, "-XX:ArchiveClassesAtExit=" + made.archive)) {
            if (!streams.await(END_MAX.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("the relay does not stream");
            }
            first.terminate();
            if (!first.waitFor(END_MAX)) {
                throw new IllegalStateException("the relay does not end");
            }
        }
        return made;
    }

    /** Counts down each time that the relay begins to stream. */
    JavaProcess start(SourceUnderTest source, CountDownLatch streams) {
        return start(source, streams, "-XX:SharedArchiveFile=" + archive);
    }

    private JavaProcess start(SourceUnderTest source, CountDownLatch streams, String ofArchive) {
        return RelayProcess.counting(
                        RelayProcess.process(JavaProcess.jar(jar), source).jvmArgs(ofArchive), streams)
                .start();
    }

    private void writeJar() {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, RelayProcess.class.getName());
        manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classPath());
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            for (String name : List.of(RelayProcess.class.getName().replace('.', '/') + ".class", "logback-test.xml")) {
                out.putNextEntry(new ZipEntry(name));
                try (InputStream in = RelayProcess.class.getResourceAsStream("/" + name)) {
                    in.transferTo(out);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All but the tests' own. */
    private String classPath() {
        Path tests = Path.of("target", "test-classes").toAbsolutePath();
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(each -> Path.of(each).toAbsolutePath())
                .filter(each -> !each.equals(tests))
                .map(each -> jar.toAbsolutePath().getParent().relativize(each) + (Files.isDirectory(each) ? "/" : ""))
                .collect(Collectors.joining(" "));
    }
}

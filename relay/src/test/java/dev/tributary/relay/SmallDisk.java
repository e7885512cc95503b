package dev.tributary.relay;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A disk of a few megabytes that a test can fill up. Linux only, and only for root: otherwise the test is skipped. */
final class SmallDisk implements AutoCloseable {
    private final Path path;

    private SmallDisk(Path path) {
        this.path = path;
    }

    static SmallDisk mount(Path at, int megabytes) throws IOException {
        Files.createDirectories(at);
        boolean mounted = run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", at.toString());
        assumeTrue(mounted, "no disk can be mounted here: that takes Linux and root");
        return new SmallDisk(at);
    }

    Path path() {
        return path;
    }

    /** Leaves not a byte. */
    void fill() {
        byte[] block = new byte[64 * 1024];
        try (var filler = Files.newOutputStream(filler())) {
            while (true) {
                filler.write(block);
            }
        } catch (IOException full) {
            // as was intended
        }
    }

    /** Undoes {@link #fill}. */
    void free() {
        try {
            Files.deleteIfExists(filler());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path filler() {
        return path.resolve("filler");
    }

    private static boolean run(String... command) {
        try {
            return new ProcessBuilder(command).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void close() {
        run("umount", "-l", path.toString());
    }
}

package dev.tributary.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A disk of a few megabytes that can be filled up, in memory. Thread-safe. */
public final class SmallDisk implements AutoCloseable {
    private final Path path;

    private SmallDisk(Path path) {
        this.path = path;
    }

    /**
     * Mounts one at a directory, which it creates if need be.
     *
     * @return empty where that is not possible: it takes Linux and root
     */
    public static Optional<SmallDisk> mount(Path at, int megabytes) {
        try {
            Files.createDirectories(at);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        boolean mounted =
                SystemCommand.succeeds("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "tmpfs", at.toString());
        return mounted ? Optional.of(new SmallDisk(at)) : Optional.empty();
    }

    /** Where it is. */
    public Path path() {
        return path;
    }

    /** Leaves not a byte. */
    public void fill() {
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
    public void free() {
        try {
            Files.deleteIfExists(filler());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path filler() {
        return path.resolve("filler");
    }

    /** Takes it away, with all that is on it. */
    @Override
    public void close() {
        SystemCommand.succeeds("umount", "-l", path.toString());
    }
}

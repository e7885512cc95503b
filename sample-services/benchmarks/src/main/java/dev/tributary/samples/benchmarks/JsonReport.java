package dev.tributary.samples.benchmarks;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** All figures of a run, for programs; a command has it with picocli's {@code @Mixin}. Begins with what the machine was doing before. */
final class JsonReport {
    @Option(names = "--json", description = "Where to write all figures as JSON.")
    private @Nullable Path file;

    private final JsonMapper mapper =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private final ObjectNode root = mapper.createObjectNode().set("machine", Machine.json());

    /** What is to be added to. */
    ObjectNode root() {
        return root;
    }

    /** Adds to the list of that name, and writes: what is there stays if a later one fails. */
    void add(String list, ObjectNode figures) throws IOException {
        root.withArrayProperty(list).add(figures);
        write();
    }

    /** Writes what there is so far, if anybody asked for it. */
    void write() throws IOException {
        if (file != null) {
            mapper.writeValue(file.toFile(), root);
        }
    }
}

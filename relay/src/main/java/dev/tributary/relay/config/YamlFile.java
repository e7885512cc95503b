package dev.tributary.relay.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads a YAML file into keys in full and their values as they stand there: {@code 0123}, {@code 1e3} and {@code yes}
 * remain text, since they may be somebody's password.
 */
final class YamlFile {
    private YamlFile() {}

    /** @throws ConfigurationException if it cannot be read or is not YAML; the message has no part of the contents */
    static Map<String, String> read(Path file) {
        Map<String, String> flat = new LinkedHashMap<>();
        Object root = parse(file, text(file));
        if (root instanceof Map<?, ?> map) {
            map.forEach((key, value) -> flatten(flat, String.valueOf(key), value));
        } else if (root != null && !root.equals("")) {
            throw unusable(file, "is not a map of keys; it starts with 'relay:'");
        }
        return flat;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw unusable(file, "does not exist; give the configuration's path with --config");
        } catch (AccessDeniedException e) {
            throw unusable(file, "cannot be read: permission denied for the user that runs the relay");
        } catch (CharacterCodingException e) {
            throw unusable(file, "is not UTF-8 text");
        } catch (IOException e) {
            String why = Files.isDirectory(file) ? "it is a directory" : String.valueOf(e.getMessage());
            throw unusable(file, "cannot be read: " + why);
        }
    }

    private static Object parse(Path file, String text) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        DumperOptions unused = new DumperOptions();
        Yaml yaml = new Yaml(
                new SafeConstructor(options), new Representer(unused), unused, options, new EverythingIsText());
        try {
            return yaml.load(text);
        } catch (MarkedYAMLException e) {
            // Not the exception's message, which quotes the line, and with it perhaps a password
            String where = e.getProblemMark() == null
                    ? ""
                    : "line " + (e.getProblemMark().getLine() + 1) + ", column "
                            + (e.getProblemMark().getColumn() + 1) + ": ";
            throw unusable(file, "is not valid YAML: " + where + e.getProblem());
        } catch (YAMLException e) {
            throw unusable(file, "is not valid YAML");
        }
    }

    private static void flatten(Map<String, String> flat, String key, Object value) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((inner, v) -> flatten(flat, key + "." + inner, v));
        } else if (value instanceof List<?> list) {
            flat.put(key, list.stream().map(String::valueOf).collect(Collectors.joining(",")));
        } else {
            flat.put(key, String.valueOf(value));
        }
    }

    private static ConfigurationException unusable(Path file, String why) {
        return new ConfigurationException(List.of(new Mistake(file.toString(), why)));
    }

    private static final class EverythingIsText extends Resolver {
        @Override
        protected void addImplicitResolvers() {
            // None: numbers, dates, booleans and nulls are left as they are written
        }
    }
}

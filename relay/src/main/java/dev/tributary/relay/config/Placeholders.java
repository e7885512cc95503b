package dev.tributary.relay.config;

import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts environment variables in for <code>${NAME}</code> and <code>${NAME:default}</code>. What they hold is taken as it is: a
 * password may well contain <code>${</code>.
 */
final class Placeholders {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^}:]*)(?::([^}]*))?}");

    private Placeholders() {}

    /**
     * @param leftAlone names that mean something to whoever reads the value later
     * @param missing told about each variable that is not set and has no default
     */
    static String resolve(
            String value, Map<String, String> environment, Set<String> leftAlone, Consumer<String> missing) {
        Matcher placeholder = PLACEHOLDER.matcher(value);
        StringBuilder resolved = new StringBuilder();
        while (placeholder.find()) {
            String name = placeholder.group(1);
            String replacement = placeholder.group();
            if (!leftAlone.contains(name)) {
                String found = environment.getOrDefault(name, placeholder.group(2));
                if (found == null) {
                    missing.accept(name);
                } else {
                    replacement = found;
                }
            }
            placeholder.appendReplacement(resolved, Matcher.quoteReplacement(replacement));
        }
        return placeholder.appendTail(resolved).toString();
    }
}

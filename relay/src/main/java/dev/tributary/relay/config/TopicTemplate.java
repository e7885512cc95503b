package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says what is wrong with a topic template. */
final class TopicTemplate {
    static final String SOURCE = "${source}";
    static final String AGGREGATE_TYPE = "${aggregate_type}";
    static final String DEFAULT = SOURCE + "." + AGGREGATE_TYPE;

    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^}]*)}");
    private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9._-]+");
    private static final int AGGREGATE_TYPE_CHARS_MAX = 100;
    private static final int TOPIC_CHARS_MAX = 249;

    private TopicTemplate() {}

    static List<String> problems(String template, String source) {
        List<String> problems = new ArrayList<>();
        Matcher placeholder = PLACEHOLDER.matcher(template);
        while (placeholder.find()) {
            if (!placeholder.group().equals(SOURCE) && !placeholder.group().equals(AGGREGATE_TYPE)) {
                problems.add(
                        "does not know '" + placeholder.group() + "'; there are " + SOURCE + " and " + AGGREGATE_TYPE);
            }
        }
        if (problems.isEmpty()) {
            String longest =
                    template.replace(SOURCE, source).replace(AGGREGATE_TYPE, "a".repeat(AGGREGATE_TYPE_CHARS_MAX));
            if (!LEGAL.matcher(longest).matches()) {
                problems.add("'" + template + "' gives a name that Kafka refuses; besides " + SOURCE + " and "
                        + AGGREGATE_TYPE + " use letters, digits, '.', '_' and '-'");
            } else if (longest.length() > TOPIC_CHARS_MAX) {
                problems.add("gives names of up to " + longest.length() + " characters; Kafka takes " + TOPIC_CHARS_MAX
                        + ", of which an aggregate type may use " + AGGREGATE_TYPE_CHARS_MAX);
            }
        }
        return problems;
    }
}

package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names the topic of an aggregate type: a text with {@code ${source}} and {@code ${aggregate_type}}. Immutable.
 *
 * @param template without {@link #problems}
 */
public record TopicTemplate(String source, String template) {
    static final String SOURCE = "${source}";
    static final String AGGREGATE_TYPE = "${aggregate_type}";
    static final String DEFAULT = SOURCE + "." + AGGREGATE_TYPE;

    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^}]*)}");
    private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9._-]+");
    private static final int AGGREGATE_TYPE_CHARS_MAX = 100;
    private static final int TOPIC_CHARS_MAX = 249;

    /** The topic's name; {@link #isLegal} unless {@code aggregateType} was written past the library's checks. */
    public String topicFor(String aggregateType) {
        return template.replace(SOURCE, source).replace(AGGREGATE_TYPE, aggregateType);
    }

    /** Whether a topic's name could have come from this template. */
    public boolean matches(String topic) {
        String[] ends = template.replace(SOURCE, source).split(Pattern.quote(AGGREGATE_TYPE), 2);
        return ends.length == 1
                ? topic.equals(ends[0])
                : topic.length() > ends[0].length() + ends[1].length()
                        && topic.startsWith(ends[0])
                        && topic.endsWith(ends[1]);
    }

    /** Whether Kafka would take that name. */
    public static boolean isLegal(String topic) {
        return LEGAL.matcher(topic).matches()
                && topic.length() <= TOPIC_CHARS_MAX
                && !topic.equals(".")
                && !topic.equals("..");
    }

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
            String longest = new TopicTemplate(source, template).topicFor("a".repeat(AGGREGATE_TYPE_CHARS_MAX));
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

package dev.tributary.relay.routing;

import java.util.regex.Pattern;

/**
 * Names the topic of an aggregate type: a text with {@code ${source}} and {@code ${aggregate_type}}. Immutable.
 *
 * @param template must contain {@code ${aggregate_type}}
 */
public record TopicTemplate(String source, String template) {
    private static final String AGGREGATE_TYPE = "${aggregate_type}";
    private static final Pattern LEGAL = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

    /** @throws IllegalArgumentException if the template cannot give legal topic names */
    public TopicTemplate {
        template = template.replace("${source}", source);
        if (!template.contains(AGGREGATE_TYPE)) {
            throw new IllegalArgumentException("topic template '" + template + "' must contain " + AGGREGATE_TYPE);
        }
        if (!isLegal(template.replace(AGGREGATE_TYPE, "x"))) {
            throw new IllegalArgumentException(
                    "topic template '" + template + "' gives illegal topic names; letters, digits, . _ - are legal");
        }
    }

    /** The topic's name, which may be illegal if {@code aggregateType} is: see {@link #isLegal}. */
    public String topicFor(String aggregateType) {
        return template.replace(AGGREGATE_TYPE, aggregateType);
    }

    /** Whether a topic's name could have come from this template. */
    public boolean matches(String topic) {
        int at = template.indexOf(AGGREGATE_TYPE);
        String suffix = template.substring(at + AGGREGATE_TYPE.length());
        return topic.length() > at + suffix.length()
                && topic.startsWith(template.substring(0, at))
                && topic.endsWith(suffix);
    }

    /** Whether Kafka would take that name. */
    public static boolean isLegal(String topic) {
        return LEGAL.matcher(topic).matches() && !topic.equals(".") && !topic.equals("..");
    }
}

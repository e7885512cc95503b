package dev.tributary.consumer.rows;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.consumer.rows.ColumnType.Kind;
import java.lang.reflect.Array;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.Temporal;
import java.time.temporal.TemporalAmount;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The texts from which PostgreSQL reads values. */
final class ValueText {
    private static final int SECONDS_PER_MINUTE = 60;
    private static final Instant USUAL_FROM = Instant.parse("0001-01-01T00:00:00Z");
    private static final Instant USUAL_TO = Instant.parse("9999-12-31T00:00:00Z");

    private ValueText() {}

    /** @throws IllegalArgumentException if there is no text for such a value */
    static @Nullable String of(ColumnType type, @Nullable Object value) {
        if (value == null || value instanceof String) {
            return (String) value;
        }
        if (value instanceof Number number) {
            return number(type, number);
        }
        if (value instanceof Boolean || value instanceof UUID || value instanceof Character) {
            return value.toString();
        }
        if (value instanceof Enum<?> constant) {
            return constant.name();
        }
        if (value instanceof JsonNode json) {
            return json(type, json);
        }
        if (value instanceof byte[] bytes) {
            return "\\x" + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof Collection<?> || value.getClass().isArray()) {
            return array(type, value);
        }
        return time(value);
    }

    private static String number(ColumnType type, Number number) {
        if (type.kind() == Kind.INTEGER && !(number instanceof Long || number instanceof Integer)) {
            return type.number(number).toString();
        }
        return number.toString();
    }

    /** A tree is text of its own in a column for JSON; elsewhere its value is meant. */
    private static @Nullable String json(ColumnType type, JsonNode json) {
        if (json.isMissingNode()) {
            return null;
        }
        if (type.kind() == Kind.JSON || json.isContainerNode()) {
            return json.toString();
        }
        return json.isNull() ? null : json.asText();
    }

    private static String array(ColumnType type, Object value) {
        if (type.kind() == Kind.JSON) {
            throw new IllegalArgumentException("a column for JSON takes a JsonNode, or text that is JSON");
        }
        Collection<?> elements = value instanceof Collection<?> collection ? collection : elements(value);
        return elements.stream().map(each -> element(type, each)).collect(Collectors.joining(",", "{", "}"));
    }

    private static Collection<?> elements(Object array) {
        if (array instanceof Object[] objects) {
            return Arrays.asList(objects);
        }
        Object[] boxed = new Object[Array.getLength(array)];
        Arrays.setAll(boxed, i -> Array.get(array, i));
        return Arrays.asList(boxed);
    }

    private static String element(ColumnType type, @Nullable Object element) {
        if (element instanceof Collection<?>
                || (element != null && element.getClass().isArray() && !(element instanceof byte[]))) {
            return array(type, element);
        }
        String text = of(type, element);
        return text == null ? "NULL" : '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String time(Object value) {
        if (value instanceof Instant instant) {
            return instant(instant);
        }
        if (value instanceof ZonedDateTime zoned) {
            return instant(zoned.toInstant());
        }
        if (value instanceof OffsetDateTime offset) {
            return instant(offset.toInstant());
        }
        if (value instanceof java.sql.Date || value instanceof java.sql.Time) {
            return value.toString();
        }
        if (value instanceof java.util.Date date) {
            return instant(date.toInstant());
        }
        if (value instanceof Temporal || value instanceof TemporalAmount) {
            return value.toString();
        }
        throw new IllegalArgumentException(
                "there is no known text for a " + value.getClass().getName() + "; pass one");
    }

    /** As the JDK writes it, but mostly not by way of its formatter, which takes longer than any other value. */
    private static String instant(Instant instant) {
        boolean hasSeconds = instant.getEpochSecond() % SECONDS_PER_MINUTE != 0; // or they would be left out
        boolean usual = hasSeconds && instant.isAfter(USUAL_FROM) && instant.isBefore(USUAL_TO);
        return usual ? LocalDateTime.ofInstant(instant, ZoneOffset.UTC) + "Z" : instant.toString();
    }
}

package dev.tributary.consumer.rows;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;

/**
 * What a column's type makes of values.
 *
 * @param modifier length or precision and scale as the catalogue has them; -1 for none
 * @param deterministic whether equal texts are the only ones that compare as equal
 */
record ColumnType(Kind kind, int modifier, boolean deterministic) {
    /** The catalogue's own counts are by this more. */
    private static final int MODIFIER_OFFSET = 4;
    /** More than any number that PostgreSQL stores has on either side of its point. */
    private static final int DIGITS_MAX = 140_000;

    /** What values are treated alike. */
    enum Kind {
        INTEGER,
        DECIMAL,
        FLOAT,
        TEXT,
        ENUM,
        UUID,
        BOOLEAN,
        DATE,
        INSTANT,
        JSON,
        BYTES,
        ARRAY,
        OTHER
    }

    static ColumnType of(String catalogueName, int modifier, boolean deterministic) {
        Kind kind =
                switch (catalogueName) {
                    case "int2", "int4", "int8" -> Kind.INTEGER;
                    case "numeric" -> Kind.DECIMAL;
                    case "float4", "float8" -> Kind.FLOAT;
                    case "text", "varchar" -> Kind.TEXT;
                    case "enum" -> Kind.ENUM;
                    case "uuid" -> Kind.UUID;
                    case "bool" -> Kind.BOOLEAN;
                    case "date" -> Kind.DATE;
                    case "timestamptz" -> Kind.INSTANT;
                    case "json", "jsonb" -> Kind.JSON;
                    case "bytea" -> Kind.BYTES;
                    case "array" -> Kind.ARRAY;
                    default -> Kind.OTHER;
                };
        return new ColumnType(kind, modifier, deterministic);
    }

    /** Whether {@link #keyText} is the same for all values that the database takes for one. */
    boolean isTellable() {
        return switch (kind) {
            case FLOAT, JSON, ARRAY, OTHER -> false;
            case INSTANT -> modifier < 0;
            default -> deterministic;
        };
    }

    boolean isNumeric() {
        return kind == Kind.INTEGER || kind == Kind.DECIMAL || kind == Kind.FLOAT;
    }

    /**
     * The one text of a key.
     *
     * @throws IllegalArgumentException if the value cannot be one of this type
     */
    String keyText(Object value) {
        String text = ValueText.of(this, value);
        if (text == null) {
            throw new IllegalArgumentException("it is null");
        }
        try {
            return canonical(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("'" + text + "' is no " + kind, e);
        }
    }

    private String canonical(String text) {
        return switch (kind) {
            case INTEGER -> number(text).toBigIntegerExact().toString();
            case DECIMAL -> number(text).stripTrailingZeros().toPlainString();
            case UUID -> java.util.UUID.fromString(text).toString();
            case BOOLEAN -> bool(text);
            case DATE -> LocalDate.parse(text).toString();
            case INSTANT -> instant(text);
            case TEXT, ENUM -> storedText(text);
            default -> text;
        };
    }

    /**
     * A number as the column would store it.
     *
     * @throws IllegalArgumentException if there is none like that
     */
    BigDecimal number(Object value) {
        BigDecimal number;
        try {
            number = value instanceof Long || value instanceof Integer
                    ? BigDecimal.valueOf(((Number) value).longValue())
                    : new BigDecimal(value.toString());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + value + "' is not a number", e);
        }
        if (Math.abs((long) number.scale()) > DIGITS_MAX || number.precision() > DIGITS_MAX) {
            throw new IllegalArgumentException("the number has too many digits");
        }
        if (kind == Kind.INTEGER && number.scale() != 0) {
            if (number.stripTrailingZeros().scale() > 0) {
                throw new IllegalArgumentException(value + " is not a whole number");
            }
            return number.setScale(0, RoundingMode.UNNECESSARY);
        }
        return kind == Kind.DECIMAL && modifier >= 0 ? number.setScale(scale(), RoundingMode.HALF_UP) : number;
    }

    /** Eleven bits with a sign. */
    private int scale() {
        return (((modifier - MODIFIER_OFFSET) & 0x7ff) ^ 1024) - 1024;
    }

    private static String bool(String text) {
        return switch (text) {
            case "true", "false" -> text;
            default -> throw new IllegalArgumentException("'" + text + "' is neither true nor false");
        };
    }

    private static String instant(String text) {
        Instant instant = OffsetDateTime.parse(text).toInstant();
        return instant.plusNanos(500).truncatedTo(ChronoUnit.MICROS).toString();
    }

    /** Blanks beyond the column's length are not stored; half a surrogate pair would be stored as something else. */
    private String storedText(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))
                    && text.codePointAt(i++) < Character.MIN_SUPPLEMENTARY_CODE_POINT) {
                throw new IllegalArgumentException("it has half a surrogate pair");
            }
        }
        int end = text.length();
        if (modifier >= MODIFIER_OFFSET) {
            int excess = text.codePointCount(0, end) - (modifier - MODIFIER_OFFSET);
            while (excess-- > 0 && text.charAt(end - 1) == ' ') {
                end--;
            }
        }
        return text.substring(0, end);
    }
}

package dev.tributary.consumer;

import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.YearMonth;
import java.time.format.DateTimeParseException;

/** Times as events have them. Almost all are in UTC and in the one usual form, which is read without the JDK's formatter. */
final class Rfc3339 {
    private static final int LENGTH_MIN = "2000-01-01T00:00:00Z".length();
    private static final int LENGTH_MAX = LENGTH_MIN + ".123456789".length();
    private static final int SECONDS_PER_DAY = 86_400;
    private static final int NOT_A_NUMBER = -1;
    private static final int NANO_DIGITS = 9;

    private Rfc3339() {}

    /** @throws DateTimeParseException if it is no time with an offset */
    static Instant parse(String text) {
        int length = text.length();
        boolean usual = length >= LENGTH_MIN
                && length <= LENGTH_MAX
                && text.charAt(4) == '-'
                && text.charAt(7) == '-'
                && text.charAt(10) == 'T'
                && text.charAt(13) == ':'
                && text.charAt(16) == ':'
                && text.charAt(length - 1) == 'Z'
                && (length == LENGTH_MIN || text.charAt(LENGTH_MIN - 1) == '.');
        if (usual) {
            int year = number(text, 0, 4);
            int month = number(text, 5, 7);
            int day = number(text, 8, 10);
            int hour = number(text, 11, 13);
            int minute = number(text, 14, 16);
            int second = number(text, 17, 19);
            int nanos = length == LENGTH_MIN ? 0 : nanos(text, LENGTH_MIN, length - 1);
            boolean plain = year >= 0
                    && isWithin(1, month, 12)
                    && isWithin(1, day, YearMonth.of(year, month).lengthOfMonth())
                    && isWithin(0, hour, 23)
                    && isWithin(0, minute, 59)
                    && isWithin(0, second, 59)
                    && nanos != NOT_A_NUMBER;
            if (plain) {
                long days = LocalDate.of(year, month, day).toEpochDay();
                return Instant.ofEpochSecond(days * SECONDS_PER_DAY + hour * 3_600L + minute * 60L + second, nanos);
            }
        }
        return OffsetDateTime.parse(text).toInstant();
    }

    private static boolean isWithin(int min, int value, int max) {
        return min <= value && value <= max;
    }

    private static int nanos(String text, int from, int to) {
        int nanos = to == from ? NOT_A_NUMBER : number(text, from, to);
        for (int digits = to - from; digits < NANO_DIGITS && nanos > 0; digits++) {
            nanos *= 10;
        }
        return nanos;
    }

    private static int number(String text, int from, int to) {
        int number = 0;
        for (int i = from; i < to; i++) {
            int digit = text.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return NOT_A_NUMBER;
            }
            number = number * 10 + digit;
        }
        return number;
    }
}

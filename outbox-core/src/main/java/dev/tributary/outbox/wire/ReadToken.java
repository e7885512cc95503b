package dev.tributary.outbox.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a writer hands to its caller after a commit, so that a reader anywhere can wait until its view includes that write.
 * Immutable.
 *
 * <p>The text form is for HTTP headers, cookies and query strings: it consists of letters, digits, {@code _}, {@code .} and
 * {@code ~}, and is opaque to whoever carries it. It names databases and places in their logs, and no data. It is not
 * signed: a forged one makes a reader wait in vain, for as long as the reader allows.
 *
 * @param writes what to wait for; one of each history of each source
 */
public record ReadToken(List<Write> writes) {
    /** More sources than that write for one reader nowhere; bounds what a stranger can send. */
    public static final int WRITES_MAX = 32;

    private static final String VERSION = "1";
    private static final String BETWEEN_WRITES = "~";
    private static final int TEXT_CHARS_MAX = 4_096;
    private static final Pattern VERSIONED = Pattern.compile("([0-9]{1,4})~(.*)");
    private static final Pattern WRITE =
            Pattern.compile("([a-z0-9_]{1,63})\\.([0-9]{1,20})\\.([0-9]{1,10})\\.([0-9a-f]{1,16})\\.([0-9]{1,18})");

    /**
     * A place in a source's log: everything that had committed there before the token was made lies below.
     *
     * @param source the source's name
     * @param systemId PostgreSQL's system identifier of the cluster that was written to, decimal
     * @param timeline the timeline that was written to; unsigned
     * @param lsn where the log ended after the commit; unsigned
     * @param timeMillis when that was, in milliseconds since 1970 by the source's clock
     */
    public record Write(String source, String systemId, int timeline, long lsn, long timeMillis) {
        private boolean isOfTheHistoryOf(Write other) {
            return source.equals(other.source) && systemId.equals(other.systemId) && timeline == other.timeline;
        }

        private Write later(Write other) {
            return Long.compareUnsigned(lsn, other.lsn) >= 0 ? this : other;
        }

        private String text() {
            return String.join(
                    ".",
                    source,
                    systemId,
                    Integer.toUnsignedString(timeline),
                    Long.toHexString(lsn),
                    Long.toString(timeMillis));
        }
    }

    public ReadToken {
        writes = List.copyOf(writes);
        if (writes.isEmpty() || writes.size() > WRITES_MAX) {
            throw new IllegalArgumentException(
                    "a token is of 1 to " + WRITES_MAX + " writes, and this would be of " + writes.size());
        }
    }

    /** A token of one write. */
    public static ReadToken of(Write write) {
        return new ReadToken(List.of(write));
    }

    /**
     * A token of both: who has waited for it has waited for each.
     *
     * @throws IllegalArgumentException if it would be of more than {@link #WRITES_MAX} sources
     */
    public ReadToken and(ReadToken other) {
        List<Write> merged = new ArrayList<>(writes);
        for (Write write : other.writes) {
            int same = 0;
            while (same < merged.size() && !merged.get(same).isOfTheHistoryOf(write)) {
                same++;
            }
            if (same == merged.size()) {
                merged.add(write);
            } else {
                merged.set(same, merged.get(same).later(write));
            }
        }
        return new ReadToken(merged);
    }

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if it is something else, or of a version that this one does not know
     */
    public static ReadToken parse(String text) {
        Matcher versioned = VERSIONED.matcher(text.length() > TEXT_CHARS_MAX ? "" : text);
        if (!versioned.matches()) {
            throw malformed(text);
        }
        if (!versioned.group(1).equals(VERSION)) {
            throw new IllegalArgumentException("the token is of version " + versioned.group(1)
                    + ", and this reader knows version " + VERSION + " only: upgrade its Tributary");
        }
        List<Write> writes = new ArrayList<>();
        for (String part : versioned.group(2).split(BETWEEN_WRITES, -1)) {
            writes.add(write(part, text));
        }
        return new ReadToken(writes);
    }

    private static Write write(String part, String text) {
        Matcher write = WRITE.matcher(part);
        if (!write.matches()) {
            throw malformed(text);
        }
        try {
            return new Write(
                    write.group(1),
                    write.group(2),
                    Integer.parseUnsignedInt(write.group(3)),
                    Long.parseUnsignedLong(write.group(4), 16),
                    Long.parseLong(write.group(5)));
        } catch (NumberFormatException e) {
            throw malformed(text);
        }
    }

    private static IllegalArgumentException malformed(String text) {
        int shown = Math.min(text.length(), 80);
        return new IllegalArgumentException("not a token, expected " + VERSION
                + "~<source>.<system id>.<timeline>.<lsn, hex>.<time> as the writer gave it: '"
                + text.substring(0, shown) + (shown < text.length() ? "…'" : "'"));
    }

    /** The text form. */
    @Override
    public String toString() {
        return VERSION + BETWEEN_WRITES + writes.stream().map(Write::text).collect(Collectors.joining(BETWEEN_WRITES));
    }
}

package dev.tributary.relay.source;

import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.source.RelationLayout.Column;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads the columns of one row in place. The server sends each column in binary or, for types without a binary form or
 * when the subscriber did not ask for it, as text; both are understood. Reused for every row; not thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html">TupleData</a>
 */
final class TupleReader {
    private static final long MICROS_2000_TO_1970 = 946_684_800_000_000L;
    private static final DateTimeFormatter TIMESTAMP_TEXT = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .appendLiteral(' ')
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .appendOffset("+HH:mm:ss", "+00")
            .toFormatter(java.util.Locale.ROOT);

    private RelationLayout layout = new RelationLayout("", Map.of());
    private ByteBuffer message = ByteBuffer.allocate(0);
    private byte[] kinds = new byte[16];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private byte[] repeatedUtf8 = {};
    private String repeated = "";

    /** Finds the columns of the row that starts at {@code message}'s position; their bytes are not copied. */
    void read(RelationLayout layout, ByteBuffer message) {
        this.layout = layout;
        this.message = message;
        int columns = message.getShort();
        if (columns > kinds.length) {
            kinds = new byte[columns];
            offsets = new int[columns];
            lengths = new int[columns];
        }
        for (int i = 0; i < columns; i++) {
            kinds[i] = message.get();
            if (kinds[i] == 't' || kinds[i] == 'b') {
                lengths[i] = message.getInt();
                offsets[i] = message.position();
                message.position(offsets[i] + lengths[i]);
            }
        }
    }

    UUID uuid(Column column) {
        int i = present(column);
        if (kinds[i] == 'b') {
            return new UUID(message.getLong(offsets[i]), message.getLong(offsets[i] + 8));
        }
        return UUID.fromString(text(column));
    }

    String text(Column column) {
        int i = present(column);
        return new String(message.array(), message.arrayOffset() + offsets[i], lengths[i], StandardCharsets.UTF_8);
    }

    /** Like {@link #text}, for a column that often holds what it held in the row before: then the same string. */
    String repeatedText(Column column) {
        int i = present(column);
        int start = message.arrayOffset() + offsets[i];
        if (!Arrays.equals(message.array(), start, start + lengths[i], repeatedUtf8, 0, repeatedUtf8.length)) {
            repeatedUtf8 = copy(i);
            repeated = new String(repeatedUtf8, StandardCharsets.UTF_8);
        }
        return repeated;
    }

    /** UTF-8 of a text or json column. */
    byte[] utf8(Column column) {
        return copy(present(column));
    }

    byte @Nullable [] utf8OrNull(Column column) {
        int i = layout.indexOf(column);
        return kinds[i] == 'n' ? null : copy(present(column));
    }

    byte[] bytea(Column column) {
        int i = present(column);
        if (kinds[i] == 'b') {
            return copy(i);
        }
        String hex = text(column);
        return HexFormat.of().parseHex(hex, 2, hex.length()); // after \x
    }

    long bigintOrZero(Column column) {
        int i = layout.indexOf(column);
        if (kinds[i] == 'n') {
            return 0;
        }
        return kinds[i] == 'b' ? message.getLong(offsets[i]) : Long.parseLong(text(column));
    }

    Instant timestamp(Column column) {
        int i = present(column);
        return kinds[i] == 'b'
                ? instant(message.getLong(offsets[i]))
                : OffsetDateTime.parse(text(column), TIMESTAMP_TEXT).toInstant();
    }

    /** PostgreSQL counts microseconds from 2000. */
    static Instant instant(long microsSince2000) {
        long micros = microsSince2000 + MICROS_2000_TO_1970;
        return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000);
    }

    private int present(Column column) {
        int i = layout.indexOf(column);
        if (kinds[i] != 'b' && kinds[i] != 't') {
            throw new RelayException.Stopped(
                    "a row of " + layout.table() + " has no value in column " + column,
                    "the column must be NOT NULL, as `init` creates it; see docs/operating.md",
                    null);
        }
        return i;
    }

    private byte[] copy(int i) {
        byte[] bytes = new byte[lengths[i]];
        message.get(offsets[i], bytes);
        return bytes;
    }
}

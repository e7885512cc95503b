package dev.tributary.relay.source;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.relay.config.EventColumn;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.TemporalAccessor;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PGbytea;

/**
 * Reads the columns of one row in place. The server sends each column in binary or, for types without a binary form or
 * when the subscriber did not ask for it, as text; both are understood. Reused for every row; not thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html">TupleData</a>
 */
final class TupleReader {
    private static final JsonMapper JSON = new JsonMapper();
    private static final long MICROS_2000_TO_1970 = 946_684_800_000_000L;
    private static final DateTimeFormatter TIMESTAMP_TEXT = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .appendLiteral(' ')
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .optionalStart()
            .appendOffset("+HH:mm:ss", "+00")
            .toFormatter(Locale.ROOT);

    private RelationLayout layout = new RelationLayout("", Map.of(), Map.of(), true, 0);
    private ByteBuffer message = ByteBuffer.allocate(0);
    private byte[] kinds = new byte[16];
    private int[] offsets = new int[16];
    private int[] lengths = new int[16];
    private byte[] repeatedUtf8 = {};
    private String repeated = "";

    /**
     * Finds the columns of the row that starts at {@code message}'s position; their bytes are not copied.
     *
     * @throws GarbledMessage if that is no row of this layout
     */
    void read(RelationLayout layout, ByteBuffer message) {
        this.layout = layout;
        this.message = message;
        int columns = message.getShort();
        GarbledMessage.unless(columns == layout.columns(), "columns");
        if (columns > kinds.length) {
            kinds = new byte[columns];
            offsets = new int[columns];
            lengths = new int[columns];
        }
        for (int i = 0; i < columns; i++) {
            kinds[i] = message.get();
            if (kinds[i] == 't' || kinds[i] == 'b') {
                lengths[i] = message.getInt();
                GarbledMessage.unless(lengths[i] >= 0 && lengths[i] <= message.remaining(), "length");
                offsets[i] = message.position();
                message.position(offsets[i] + lengths[i]);
            } else {
                GarbledMessage.unless(kinds[i] == 'n' || kinds[i] == 'u', "kind of column");
            }
        }
    }

    UUID uuid(EventColumn column) {
        int i = present(column);
        if (kinds[i] == 'b') {
            GarbledMessage.unless(lengths[i] == 16, "uuid");
            return new UUID(message.getLong(offsets[i]), message.getLong(offsets[i] + 8));
        }
        return UUID.fromString(text(column));
    }

    String text(EventColumn column) {
        return text(present(column));
    }

    private String text(int i) {
        return new String(message.array(), message.arrayOffset() + offsets[i], lengths[i], StandardCharsets.UTF_8);
    }

    /** Like {@link #text}, for a column that often holds what it held in the row before: then the same string. */
    String repeatedText(EventColumn column) {
        int i = present(column);
        int start = message.arrayOffset() + offsets[i];
        if (!Arrays.equals(message.array(), start, start + lengths[i], repeatedUtf8, 0, repeatedUtf8.length)) {
            repeatedUtf8 = copy(i);
            repeated = new String(repeatedUtf8, StandardCharsets.UTF_8);
        }
        return repeated;
    }

    /** UTF-8 of a text or json column. */
    byte[] utf8(EventColumn column) {
        return copy(present(column));
    }

    /** UTF-8 of a text column; {@code other} where there is no such column. */
    byte[] utf8Or(EventColumn column, byte[] other) {
        return layout.indexOf(column) < 0 ? other : utf8(column);
    }

    /** A flat JSON object: the column that holds one, or the columns that are to be headers; null if there are none. */
    byte @Nullable [] headers() {
        int i = layout.indexOf(EventColumn.HEADERS);
        if (i >= 0) {
            return kinds[i] == 'n' ? null : copy(present(EventColumn.HEADERS));
        }
        return layout.headers().isEmpty() ? null : json(layout.headers());
    }

    private byte @Nullable [] json(Map<String, Integer> columns) {
        ObjectNode object = JSON.createObjectNode();
        columns.forEach((name, i) -> {
            if (kinds[i] != 'n') {
                object.put(name, text(i));
            }
        });
        return object.isEmpty() ? null : object.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The payload's bytes; none where a service's own table has a null. */
    byte[] payload() {
        int i = layout.indexOf(EventColumn.PAYLOAD);
        if (kinds[i] == 'n' && layout.indexOf(EventColumn.CONTENT_TYPE) < 0) {
            return new byte[0];
        }
        byte[] bytes = copy(present(EventColumn.PAYLOAD));
        return kinds[i] == 'b' || !layout.payloadIsBytea() ? bytes : decoded(bytes);
    }

    private static byte[] decoded(byte[] byteaAsText) {
        try {
            return PGbytea.toBytes(byteaAsText); // hexadecimal, or however the database is set to show it
        } catch (SQLException e) {
            throw new IllegalArgumentException("payload is no bytea: " + e.getMessage(), e);
        }
    }

    long bigintOrZero(EventColumn column) {
        int i = layout.indexOf(column);
        if (i < 0 || kinds[i] == 'n') {
            return 0;
        }
        return kinds[i] == 'b' ? int8(i) : Long.parseLong(text(column));
    }

    /** {@code other} where there is no such column. A timestamp without time zone is taken for UTC. */
    Instant timestampOr(EventColumn column, Instant other) {
        if (layout.indexOf(column) < 0) {
            return other;
        }
        int i = present(column);
        if (kinds[i] == 'b') {
            return instant(int8(i));
        }
        TemporalAccessor time = TIMESTAMP_TEXT.parseBest(text(i), OffsetDateTime::from, LocalDateTime::from);
        return time instanceof LocalDateTime local
                ? local.toInstant(ZoneOffset.UTC)
                : ((OffsetDateTime) time).toInstant();
    }

    private long int8(int i) {
        GarbledMessage.unless(lengths[i] == Long.BYTES, "int8");
        return message.getLong(offsets[i]);
    }

    /** PostgreSQL counts microseconds from 2000. */
    static Instant instant(long microsSince2000) {
        long micros = microsSince2000 + MICROS_2000_TO_1970;
        return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000);
    }

    private int present(EventColumn column) {
        int i = layout.indexOf(column);
        if (kinds[i] != 'b' && kinds[i] != 't') {
            throw new RelayException.Stopped(
                    "a row of " + layout.table() + " has no " + column.name().toLowerCase(Locale.ROOT),
                    "the column must be NOT NULL; see docs/operating.md",
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

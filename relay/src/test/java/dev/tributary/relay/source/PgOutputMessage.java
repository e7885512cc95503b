package dev.tributary.relay.source;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;

/** Builds a message as the server would. */
final class PgOutputMessage {
    static final UUID ID = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    static final String[] COLUMNS = {
        "id", "aggregate_type", "aggregate_id", "sequence", "type", "content_type", "payload", "headers", "occurred_at"
    };

    static final Map<String, Integer> TYPES =
            Map.of("id", 2950, "sequence", 20, "payload", 17, "headers", 114, "occurred_at", 1184);

    private final ByteBuffer bytes = ByteBuffer.allocate(1024);

    PgOutputMessage() {}

    PgOutputMessage(char kind) {
        bytes.put((byte) kind);
    }

    PgOutputMessage i8(int value) {
        bytes.put((byte) value);
        return this;
    }

    PgOutputMessage i16(int value) {
        bytes.putShort((short) value);
        return this;
    }

    PgOutputMessage i32(int value) {
        bytes.putInt(value);
        return this;
    }

    PgOutputMessage i64(long value) {
        bytes.putLong(value);
        return this;
    }

    PgOutputMessage zero(String text) {
        bytes.put(text.getBytes(StandardCharsets.UTF_8)).put((byte) 0);
        return this;
    }

    PgOutputMessage nul() {
        return i8('n');
    }

    PgOutputMessage binary(byte[] value) {
        i8('b').i32(value.length);
        bytes.put(value);
        return this;
    }

    PgOutputMessage binary(PgOutputMessage value) {
        byte[] content = new byte[value.bytes.position()];
        value.bytes.get(0, content);
        return binary(content);
    }

    PgOutputMessage text(String value) {
        byte[] content = value.getBytes(StandardCharsets.UTF_8);
        i8('t').i32(content.length);
        bytes.put(content);
        return this;
    }

    byte[] content() {
        byte[] content = new byte[bytes.position()];
        bytes.get(0, content);
        return content;
    }

    /** As the driver hands it over: a slice of a larger array. */
    ByteBuffer read() {
        byte[] content = new byte[bytes.position() + 25];
        bytes.get(0, content, 25, bytes.position());
        return ByteBuffer.wrap(content).position(25).slice();
    }

    static PgOutputMessage begin(long commitLsn) {
        return new PgOutputMessage('B').i64(commitLsn).i64(1_000_000).i32(42);
    }

    static PgOutputMessage commit(long commitLsn, long endLsn) {
        return new PgOutputMessage('C').i8(0).i64(commitLsn).i64(endLsn).i64(1_000_000);
    }

    static PgOutputMessage outbox() {
        return relation(7, "outbox", COLUMNS);
    }

    static PgOutputMessage relation(int id, String table, String... columns) {
        PgOutputMessage message = new PgOutputMessage('R')
                .i32(id)
                .zero("tributary")
                .zero(table)
                .i8('d')
                .i16(columns.length);
        for (String column : columns) {
            message.i8(0).zero(column).i32(TYPES.getOrDefault(column, 25)).i32(-1);
        }
        return message;
    }

    static PgOutputMessage binaryInsert() {
        return new PgOutputMessage('I')
                .i32(7)
                .i8('N')
                .i16(9)
                .binary(new PgOutputMessage().i64(ID.getMostSignificantBits()).i64(ID.getLeastSignificantBits()))
                .binary("order".getBytes(StandardCharsets.UTF_8))
                .binary("größe".getBytes(StandardCharsets.UTF_8))
                .binary(new PgOutputMessage().i64(7))
                .binary("order.placed.v1".getBytes(StandardCharsets.UTF_8))
                .binary("application/octet-stream".getBytes(StandardCharsets.UTF_8))
                .binary(new byte[] {1, 0, -1})
                .nul()
                .binary(new PgOutputMessage().i64(1_000_002));
    }

    static PgOutputMessage textInsert() {
        return new PgOutputMessage('I')
                .i32(7)
                .i8('N')
                .i16(9)
                .text(ID.toString())
                .text("order")
                .text("größe")
                .text("7")
                .text("order.placed.v1")
                .text("application/octet-stream")
                .text("\\x0100ff")
                .nul()
                .text("2000-01-01 02:00:01.000002+02");
    }
}

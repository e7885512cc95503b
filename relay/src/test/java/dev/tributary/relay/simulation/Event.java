package dev.tributary.relay.simulation;

import dev.tributary.outbox.wire.Position;
import dev.tributary.relay.flow.OutboxEvent;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.UUID;

/** An event that a service has written; what became of it is known once its transaction has ended. */
final class Event {
    static final int ROLLED_BACK = -1;
    private static final byte[] TYPE = {'t', '.', 'v', '1'};
    private static final byte[] CONTENT_TYPE = {'a', '/', 'j'};

    final int id;
    final int aggregate;
    final long sequence;
    /** Its place in the commit order of all events. */
    int order = ROLLED_BACK;

    Event(int id, int aggregate, long sequence) {
        this.id = id;
        this.aggregate = aggregate;
        this.sequence = sequence;
    }

    OutboxEvent at(Position position) {
        return new OutboxEvent(
                position,
                Instant.EPOCH,
                new UUID(0, id),
                typeOf(aggregate),
                new byte[] {(byte) ('a' + aggregate)},
                sequence,
                TYPE,
                CONTENT_TYPE,
                ByteBuffer.allocate(Integer.BYTES).putInt(id).array(),
                null,
                Instant.EPOCH);
    }

    static String typeOf(int aggregate) {
        return aggregate % 2 == 0 ? "order" : "customer";
    }

    /** Which event a record's value says it is. */
    static int idIn(byte[] value) {
        return ByteBuffer.wrap(value).getInt();
    }
}

package dev.tributary.consumer;

import dev.tributary.consumer.Incoming.Decoded;
import dev.tributary.consumer.PositionStore.Progress;
import dev.tributary.outbox.wire.Position;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Which of a batch's events the view has already, by their positions; and so, before any of it is handled, how far the view
 * will be when the batch is committed. Immutable.
 */
final class Repeats {
    private final BitSet indexes;
    private final Progress progressAfter;

    private Repeats(BitSet indexes, Progress progressAfter) {
        this.indexes = indexes;
        this.progressAfter = progressAfter;
    }

    /**
     * @param batch not empty
     * @param from how far the view is before it
     * @param passesOver events that do not count
     */
    static Repeats among(List<Incoming> batch, Progress from, Predicate<Event<?>> passesOver) {
        Map<String, Position> seen = new HashMap<>(from.positions());
        BitSet indexes = new BitSet();
        for (int i = 0; i < batch.size(); i++) {
            if (batch.get(i) instanceof Decoded decoded) {
                Event<byte[]> event = decoded.event();
                Position position = event.position();
                Position last = position == null ? null : seen.get(event.source());
                if (position != null && last != null && !position.isAfter(last)) {
                    indexes.set(i);
                } else if (position != null && !passesOver.test(event)) {
                    seen.put(event.source(), position);
                }
            }
        }
        long nextOffset = batch.get(batch.size() - 1).record().offset() + 1;
        return new Repeats(indexes, new Progress(nextOffset, Map.copyOf(seen)));
    }

    boolean contains(int index) {
        return indexes.get(index);
    }

    Progress progressAfter() {
        return progressAfter;
    }
}

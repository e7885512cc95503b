package dev.tributary.consumer;

import dev.tributary.consumer.LiveCounters.What;
import dev.tributary.consumer.Redriven.Failed;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a subscription has set aside, by all of its instances, and what people can do about it: apply it after a fix, or
 * do without it. Any instance can do so, whoever has the partition, while events of the same aggregates arrive.
 *
 * <p>Thread-safe. Every method waits for the database, and throws an {@link SQLException} if that does not work.
 */
public final class ParkedEvents {
    private static final Logger LOG = LoggerFactory.getLogger(ParkedEvents.class);
    private static final int REASON_CHARS_MAX = 2_000;
    private static final int WHO_CHARS_MAX = 200;

    private final SubscriptionConfig config;
    private final ParkedStore store;
    private final ParkedSequences sequences;
    private final Redrive redrive;
    private final ParkedOrder order;
    private final Transactions transactions;
    private final Function<TopicPartition, LiveCounters> counters;

    ParkedEvents(SubscriptionConfig config, Function<TopicPartition, LiveCounters> counters) {
        this.config = config;
        this.store = new ParkedStore(config.name());
        this.sequences = new ParkedSequences(config.name());
        this.redrive = new Redrive(config, counters);
        this.order = new ParkedOrder(config);
        this.counters = counters;
        this.transactions = new Transactions(config);
    }

    /** How many there are. */
    public ParkedCounts count() throws SQLException {
        return read(store::count);
    }

    /**
     * The aggregates that have any, those parked first first.
     *
     * @param max at most so many
     */
    public List<ParkedAggregate> aggregates(int max) throws SQLException {
        return read(connection -> store.aggregates(connection, max));
    }

    /**
     * An aggregate's, in their order; empty if it is not parked.
     *
     * @param after the number that they come after; 0 to begin
     * @param max at most so many
     */
    public List<ParkedEvent> events(Aggregate aggregate, long after, int max) throws SQLException {
        return read(connection -> store.events(connection, aggregate, after, max));
    }

    /** One of them, by its number; empty if it is not parked any more. */
    public Optional<ParkedEvent> event(long number) throws SQLException {
        return read(connection -> store.event(connection, number));
    }

    /**
     * Applies an aggregate's events in their order with today's handlers, until none is left, so that what comes next
     * is applied as it comes, or until one fails: that one stays, with its new error, and those behind it wait. Each
     * takes effect exactly once, whoever else redrives at the same time, and when this process is killed meanwhile.
     *
     * @throws SQLException if the database could not be worked with for longer than it was tried; what has been applied
     *     until then stays applied
     */
    public Redriven redrive(Aggregate aggregate) throws SQLException {
        return redriveEach(List.of(aggregate));
    }

    /** Does so with every aggregate. */
    public Redriven redriveAll() throws SQLException {
        return redriveEach(read(connection -> store.names(connection, null)));
    }

    /**
     * Does so with every aggregate in which something is wrong with an event of a type.
     *
     * @param eventType {@code name.vN}
     */
    public Redriven redriveFailed(String eventType) throws SQLException {
        return redriveEach(read(connection -> store.names(connection, eventType)));
    }

    private Redriven redriveEach(List<Aggregate> aggregates) throws SQLException {
        long events = 0;
        long freed = 0;
        List<Failed> failed = new ArrayList<>();
        for (Aggregate aggregate : aggregates) {
            Redrive.Result result = run(aggregate);
            events += result.events();
            if (result.failed() == null) {
                freed += result.events() > 0 ? 1 : 0;
            } else if (failed.size() < Redriven.FAILED_MAX) {
                failed.add(result.failed());
            }
        }
        return new Redriven(events, freed, List.copyOf(failed));
    }

    private Redrive.Result run(Aggregate aggregate) throws SQLException {
        try {
            return redrive.run(aggregate);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SubscriptionException("interrupted while redriving " + aggregate);
        }
    }

    /**
     * Goes on without the numbers that an aggregate waits for, which is remembered in {@code tributary.accepted_gap}, and
     * redrives it. Should they come after all, they are applied when they come.
     *
     * @param reason why, for those who will ask
     * @param who whose decision it is
     * @throws SubscriptionException if it does not wait for any
     */
    public Redriven acceptGap(Aggregate aggregate, String reason, String who) throws SQLException {
        check(reason, who);
        transactions.runReadCommitted(connection -> {
            boolean parked = redrive.lock(connection, aggregate).isPresent();
            Missing missing = parked ? order.next(connection, aggregate, 1).missing() : null;
            if (missing == null) {
                throw new SubscriptionException(aggregate + " does not wait for missing events");
            }
            sequences.acceptGap(connection, aggregate, missing, reason, who);
            connection.commit();
            LOG.info("{}: {} accepted of {} that {}: {}", config.name(), who, aggregate, missing.describe(), reason);
            return missing;
        });
        return redrive(aggregate);
    }

    /**
     * Does without one event. It moves to {@code tributary.discarded_event}, as it came; those behind it stay parked
     * until they are redriven.
     *
     * @param reason why, for those who will ask
     * @param who whose decision it is
     * @return false if it is not parked any more
     */
    public boolean discard(long number, String reason, String who) throws SQLException {
        Optional<ParkedEvent> event = event(number);
        return event.isPresent() && discard(event.get().aggregate(), List.of(number), reason, who) > 0;
    }

    /**
     * Does without all of an aggregate's events that are parked now. What comes next is applied as it comes.
     *
     * @return how many there were
     */
    public int discardAll(Aggregate aggregate, String reason, String who) throws SQLException {
        return discard(aggregate, null, reason, who);
    }

    private int discard(Aggregate aggregate, @Nullable List<Long> numbers, String reason, String who)
            throws SQLException {
        check(reason, who);
        int discarded = transactions.runReadCommitted(connection -> {
            Optional<TopicPartition> partition = redrive.lock(connection, aggregate);
            if (partition.isEmpty()) {
                return 0;
            }
            List<Long> which = numbers == null ? store.numbers(connection, aggregate) : numbers;
            int moved = store.discard(connection, which, reason, who);
            long last = sequences.lastSequence(connection, aggregate);
            sequences.applied(connection, aggregate, order.lastSeen(connection, aggregate, last));
            connection.commit();
            counters.apply(partition.get()).add(What.DISCARDED, moved);
            return moved;
        });
        LOG.info("{}: {} discarded {} events of {}: {}", config.name(), who, discarded, aggregate, reason);
        return discarded;
    }

    private static void check(String reason, String who) {
        required("the reason", reason, REASON_CHARS_MAX);
        required("whose decision it is", who, WHO_CHARS_MAX);
    }

    private static void required(String what, String text, int charsMax) {
        if (text.isBlank() || text.length() > charsMax || text.indexOf('\0') >= 0) {
            throw new SubscriptionException("say " + what + ", in at most " + charsMax + " characters without NUL");
        }
    }

    private <T> T read(Transactions.Work<T> query) throws SQLException {
        return transactions.run(query);
    }
}

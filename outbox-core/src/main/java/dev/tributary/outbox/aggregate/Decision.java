package dev.tributary.outbox.aggregate;

import dev.tributary.outbox.PublishedEvent;
import java.util.List;

/**
 * What a command has led to, if the transaction commits.
 *
 * @param state after it
 * @param sequence the aggregate's after it; 0 if it has no events still
 * @param events as written, in order; empty if the command changed nothing
 */
public record Decision<S>(S state, long sequence, List<PublishedEvent> events) {}

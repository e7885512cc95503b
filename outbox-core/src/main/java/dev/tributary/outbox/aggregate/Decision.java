package dev.tributary.outbox.aggregate;

import java.util.List;
import java.util.UUID;

/**
 * What a command has led to, if the transaction commits.
 *
 * @param state after it
 * @param sequence the aggregate's after it; 0 if it has no events still
 * @param eventIds the ids of the events written, in order; empty if the command changed nothing
 */
public record Decision<S>(S state, long sequence, List<UUID> eventIds) {}

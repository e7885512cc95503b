package dev.tributary.consumer;

import java.util.List;

/**
 * What a redrive has done. Immutable.
 *
 * @param events parked events that have been applied, or skipped because nobody handles their type any more
 * @param aggregates aggregates of which nothing is parked any more
 * @param failed those that still are, each with the event that it stopped at; at most {@value #FAILED_MAX}
 */
public record Redriven(long events, long aggregates, List<Failed> failed) {
    static final int FAILED_MAX = 100;

    /**
     * An aggregate that stays parked.
     *
     * @param number the event that could not be applied
     * @param error what is wrong with it now
     */
    public record Failed(Aggregate aggregate, long number, String type, String error) {}
}

package dev.tributary.consumer.progress;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether a view includes what a token stands for. Immutable.
 *
 * @param outcome the answer
 * @param behind how much older than the write the state is that the view is known to have reached, both by the source's
 *     clock; zero when included, null when not known
 * @param eventsBehind records between the view and the write, other writers' included; while the relay has not said where the
 *     write ends up, those known of
 * @param parked whether the subscription has set events of a source of the token aside: if the write is among them, the view
 *     shows it only when they have been redriven
 * @param reason why it is not included, and what to look at; empty when it is
 */
public record Inclusion(Outcome outcome, @Nullable Duration behind, long eventsBehind, boolean parked, String reason) {

    /** The answer. From good to bad. */
    public enum Outcome {
        /** Every transaction that begins to read the view now sees the write, unless it is {@link Inclusion#parked}. */
        INCLUDED,
        /** Not yet, as far as is known. */
        NOT_YET,
        /**
         * It cannot be told any more: the source has failed over, or was restored, since the token was made. The write may be
         * in the view, still to come, or lost.
         */
        HISTORY_CHANGED
    }

    /** Whether the view includes the write. */
    public boolean included() {
        return outcome == Outcome.INCLUDED;
    }

    /** Of both. */
    Inclusion and(Inclusion other) {
        boolean thisIsWorse = outcome.compareTo(other.outcome) >= 0;
        return new Inclusion(
                thisIsWorse ? outcome : other.outcome,
                behind == null || other.behind == null
                        ? null
                        : behind.compareTo(other.behind) >= 0 ? behind : other.behind,
                eventsBehind + other.eventsBehind,
                parked || other.parked,
                reason.isEmpty() || other.reason.isEmpty() ? reason + other.reason : reason + "; " + other.reason);
    }
}

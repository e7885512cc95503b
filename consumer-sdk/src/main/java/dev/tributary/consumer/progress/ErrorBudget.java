package dev.tributary.consumer.progress;

/**
 * What has become of a freshness objective's error budget. A minute counts as bad in which the view is not known to have been
 * fresh all the time; so does one in which no instance ran. Immutable.
 *
 * @param objective what is wanted
 * @param minutes complete minutes looked at: those of the window since the first that was ever recorded
 * @param badMinutes those of them that were bad
 * @param burnLastHour how fast the budget was used up in the last hour: at 1, a window uses up just what it may
 * @param burnLastSixHours the same of the last six hours
 */
public record ErrorBudget(
        FreshnessObjective objective, long minutes, long badMinutes, double burnLastHour, double burnLastSixHours) {

    /** The share of the window's budget that is left: 1 when nothing is used up, below 0 when the objective is missed. */
    public double remaining() {
        return 1 - badMinutes / objective.badMinutesMax();
    }
}

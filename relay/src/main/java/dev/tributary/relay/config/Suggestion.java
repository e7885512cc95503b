package dev.tributary.relay.config;

import java.util.Collection;
import java.util.Comparator;

/** Guesses what a misspelt word was meant to be. */
public final class Suggestion {
    private static final int EDITS_MAX = 3;
    private static final int SHORTENED_CHARS_MIN = 3;

    private Suggestion() {}

    /** A question to append to a message, such as {@code ; did you mean 'url'?}, or nothing if no word is near. */
    public static String of(String word, Collection<String> known) {
        return known.stream()
                .filter(candidate -> isNear(word, candidate))
                .min(Comparator.comparingInt(candidate -> edits(word, candidate)))
                .map(candidate -> "; did you mean '" + candidate + "'?")
                .orElse("");
    }

    private static boolean isNear(String word, String candidate) {
        boolean shortened = word.length() >= SHORTENED_CHARS_MIN && candidate.startsWith(word);
        return shortened || edits(word, candidate) <= Math.min(EDITS_MAX, candidate.length() / 2);
    }

    /** Levenshtein's distance: how many letters to add, drop or replace. */
    private static int edits(String from, String to) {
        int[] previous = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int[] current = new int[to.length() + 1];
            current[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int replaced = previous[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
            }
            previous = current;
        }
        return previous[to.length()];
    }
}

package dev.tributary.consumer.view;

import dev.tributary.consumer.view.ComparedTable.Column;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** The order that {@link ComparedTable#select} has PostgreSQL put rows in. Immutable. */
final class KeyOrder implements Comparator<@Nullable String[]> {
    private static final int FIRST_SURROGATE = 0xD800;
    private static final int AFTER_SURROGATES = 0xE000;

    private final int[] places;
    private final boolean[] integers;

    KeyOrder(ComparedTable table) {
        places = table.key().stream().mapToInt(table.columns()::indexOf).toArray();
        integers = new boolean[places.length];
        for (int i = 0; i < places.length; i++) {
            Column column = table.key().get(i);
            integers[i] = column.isInteger();
        }
    }

    @Override
    public int compare(@Nullable String[] left, @Nullable String[] right) {
        for (int i = 0; i < places.length; i++) {
            int order = compare(left[places[i]], right[places[i]], integers[i]);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }

    /** Null comes last, as in PostgreSQL. */
    private static int compare(@Nullable String left, @Nullable String right, boolean integer) {
        if (left == null || right == null) {
            return Boolean.compare(left == null, right == null);
        }
        return integer ? Long.compare(Long.parseLong(left), Long.parseLong(right)) : compareBytes(left, right);
    }

    /** The order of their UTF-8 bytes, which is that of code points; that of chars is another for surrogates. */
    static int compareBytes(String left, String right) {
        int length = Math.min(left.length(), right.length());
        for (int i = 0; i < length; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                return a >= FIRST_SURROGATE && b >= FIRST_SURROGATE ? Integer.compare(raised(a), raised(b)) : a - b;
            }
        }
        return left.length() - right.length();
    }

    /** Surrogates above all other chars. */
    private static int raised(char c) {
        return c >= AFTER_SURROGATES ? c - AFTER_SURROGATES : c;
    }
}

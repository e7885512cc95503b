package dev.tributary.consumer.view;

import dev.tributary.consumer.History;
import dev.tributary.consumer.Subscription;
import dev.tributary.consumer.SubscriptionException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;

/**
 * One shape of a view: its tables, and how events change them. A new shape, or new handlers whose effect on what is there
 * already matters, are a new version. Immutable.
 *
 * @param number from 1; higher ones replace lower ones
 * @param scripts SQL that creates the tables in an empty schema, by bare names; run once, in one transaction
 * @param handlers adds them, and what else belongs to this version such as further topics, to the subscription that feeds it
 * @param history how much of the past it is built from
 */
public record ViewVersion(int number, List<String> scripts, Consumer<Subscription.Builder> handlers, History history) {
    public ViewVersion {
        if (number < 1) {
            throw new SubscriptionException("a view's versions are numbered from 1, not " + number);
        }
        if (scripts.isEmpty()) {
            throw new SubscriptionException("version " + number + " has no SQL that creates its tables");
        }
        scripts = List.copyOf(scripts);
    }

    /** One that is built from all of history. */
    public static ViewVersion of(int number, String script, Consumer<Subscription.Builder> handlers) {
        return new ViewVersion(number, List.of(script), handlers, History.whole());
    }

    /** This one, built from another {@link #history}. */
    public ViewVersion with(History extent) {
        return new ViewVersion(number, scripts, handlers, extent);
    }

    /**
     * A script from the class path.
     *
     * @param path such as {@code views/customers_v2.sql}
     */
    public static String script(String path) {
        try (InputStream in = ViewVersion.class.getResourceAsStream("/" + path)) {
            if (in == null) {
                throw new SubscriptionException("there is no " + path + " on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same for the same scripts, in all instances. */
    String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String script : scripts) {
                digest.update(script.getBytes(StandardCharsets.UTF_8));
                digest.update((byte) 0);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

package dev.tributary.relay.http;

import dev.tributary.relay.config.HttpConfig;

/** The HTTP server could not be started. */
public final class HttpApiException extends RuntimeException {
    HttpApiException(HttpConfig config, Throwable cause) {
        super(
                "cannot listen on " + config + " (" + root(cause).getMessage()
                        + "): perhaps another relay runs there already; stop it, or give this one another relay.http.host"
                        + " or relay.http.port",
                cause);
    }

    private static Throwable root(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }
}

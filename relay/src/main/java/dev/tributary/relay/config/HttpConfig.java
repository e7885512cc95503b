package dev.tributary.relay.config;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the running relay answers over HTTP.
 *
 * @param host the address to listen on
 * @param port the port; 0 takes a free one, which the log tells
 */
public record HttpConfig(String host, int port) {
    public static final String DEFAULT_HOST = "127.0.0.1";
    public static final int DEFAULT_PORT = 8081;
    private static final int PORT_MAX = 65_535;

    /**
     * Checks both.
     *
     * @throws ConfigurationException if the host is blank or the port is not one
     */
    public HttpConfig {
        List<Mistake> mistakes = new ArrayList<>();
        if (host.isBlank()) {
            mistakes.add(new Mistake("relay.http.host", "is empty; name an address, such as " + DEFAULT_HOST));
        }
        if (port < 0 || port > PORT_MAX) {
            mistakes.add(new Mistake("relay.http.port", "must be a number from 0 to " + PORT_MAX + ", not " + port));
        }
        ConfigurationException.throwIfAny(mistakes);
    }

    public static HttpConfig ofDefaults() {
        return new HttpConfig(DEFAULT_HOST, DEFAULT_PORT);
    }

    /** Host and port for people; an address that means "all" stays as it is. */
    @Override
    public String toString() {
        return host + ":" + port;
    }
}

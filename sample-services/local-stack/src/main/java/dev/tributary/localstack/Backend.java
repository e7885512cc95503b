package dev.tributary.localstack;

import java.util.Map;

/** What the servers are made of; chosen by the system property {@code tributary.stack}. */
interface Backend {
    /** Not started yet. */
    Server postgres(Map<String, String> settings);

    /** Not started yet. */
    Server kafka(Map<String, String> properties);

    static Backend current() {
        String name = System.getProperty("tributary.stack", "embedded");
        return switch (name) {
            case "embedded" -> new Embedded();
            case "testcontainers" -> new Containers();
            default ->
                throw new IllegalArgumentException(
                        "tributary.stack is '" + name + "': set it to embedded or testcontainers");
        };
    }

    /** Binaries from jars: needs nothing but this JVM. */
    final class Embedded implements Backend {
        @Override
        public Server postgres(Map<String, String> settings) {
            return new EmbeddedPostgresServer(settings);
        }

        @Override
        public Server kafka(Map<String, String> properties) {
            return new BrokerProcess(properties);
        }
    }
}

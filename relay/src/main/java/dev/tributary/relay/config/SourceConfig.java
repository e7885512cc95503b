package dev.tributary.relay.config;

/**
 * One service database that the relay tails. Immutable.
 *
 * @param name the source's name, as in topics, metrics and the slot's name: lower-case letters, digits and underscores
 * @param url JDBC URL of the database
 * @param username a role that may replicate
 * @param password its password; never printed
 * @param engine how changes are read
 * @param topic template of topic names, with {@code ${source}} and {@code ${aggregate_type}}
 * @param epoch raised by one whenever the database's LSNs lost their meaning (restore, dump and reload); at least 1
 */
public record SourceConfig(
        String name, String url, String username, String password, Engine engine, String topic, int epoch) {

    /** How changes are read from the database. */
    public enum Engine {
        PGOUTPUT,
        DEBEZIUM
    }

    /** The replication slot's name. */
    public String slot() {
        return "tributary_" + name;
    }

    /** The publication's name. */
    public String publication() {
        return "tributary";
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "SourceConfig[" + name + ", " + url + ", " + username + ", " + engine + ", " + topic + "]";
    }
}

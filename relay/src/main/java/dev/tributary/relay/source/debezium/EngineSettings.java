package dev.tributary.relay.source.debezium;

import dev.tributary.relay.config.SourceConfig;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** Debezium's properties for a source: it reads from the slot, stores nothing, tries nothing again, confirms nothing. */
final class EngineSettings {
    /** What is read and not handed over yet is bounded by bytes: here, and as much again in each batch under way. */
    private static final int QUEUE_BYTES_MAX = 16 * 1024 * 1024;

    private static final int TIMEOUT_SECONDS = 10;
    /** Names its metrics: two engines of one name would wait for each other's. */
    private static final AtomicLong NUMBER = new AtomicLong();

    private EngineSettings() {}

    static Properties of(SourceConfig source) {
        Properties settings = new Properties();
        String name = source.name() + "_" + NUMBER.incrementAndGet();
        settings.putAll(Map.of(
                "name", name,
                "topic.prefix", name,
                "connector.class", "io.debezium.connector.postgresql.PostgresConnector",
                "offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
                "snapshot.mode", "no_data",
                "plugin.name", "pgoutput",
                "slot.name", source.slot(),
                "slot.drop.on.stop", "false",
                "publication.name", source.publication(),
                "publication.autocreate.mode", "disabled"));
        settings.putAll(Map.of(
                "table.include.list",
                source.layout().tables().stream().map(Pattern::quote).collect(Collectors.joining(",")),
                "provide.transaction.metadata",
                "true", // whose END says where the transaction ends
                "message.prefix.include.list",
                Echo.PREFIX,
                "skipped.operations",
                "none",
                "tombstones.on.delete",
                "false",
                "binary.handling.mode",
                "bytes",
                "decimal.handling.mode",
                "string",
                "include.unknown.datatypes",
                "true",
                "lsn.flush.mode",
                "connector")); // the driver would confirm by itself otherwise
        settings.putAll(Map.of(
                "poll.interval.ms", "20",
                "heartbeat.interval.ms", "200", // what the engine does between batches, it does at least so often
                "status.update.interval.ms", "1000",
                "max.queue.size.in.bytes", Integer.toString(QUEUE_BYTES_MAX),
                "executor.shutdown.timeout.ms", "4000",
                "task.management.timeout.ms", "10000"));
        // The relay decides what is tried again, and when
        settings.putAll(Map.of("errors.max.retries", "0", "slot.max.retries", "0"));
        addDatabase(settings, source);
        return settings;
    }

    /** Debezium makes a URL of its own; parameters go to the driver as they are. */
    private static void addDatabase(Properties settings, SourceConfig source) {
        Properties url = new Properties();
        url.putAll(Driver.parseURL(source.url(), new Properties()));
        String[] hosts =
                url.getProperty(PGProperty.PG_HOST.getName(), "localhost").split(",", -1);
        String[] ports = url.getProperty(PGProperty.PG_PORT.getName(), "5432").split(",", -1);
        StringBuilder address = new StringBuilder();
        for (int i = 0; i < hosts.length - 1; i++) {
            address.append(hosts[i]).append(':').append(ports[i]).append(',');
        }
        settings.setProperty("database.hostname", address + hosts[hosts.length - 1]);
        settings.setProperty("database.port", ports[ports.length - 1]);
        settings.setProperty("database.dbname", url.getProperty(PGProperty.PG_DBNAME.getName(), source.username()));
        settings.setProperty("database.user", source.username());
        settings.setProperty("database.password", source.password());
        settings.setProperty("driver.connectTimeout", Integer.toString(TIMEOUT_SECONDS));
        settings.setProperty("driver.socketTimeout", Integer.toString(TIMEOUT_SECONDS));
        for (String parameter : url.stringPropertyNames()) {
            if (!parameter.startsWith("PG")) {
                settings.setProperty("driver." + parameter, url.getProperty(parameter));
            }
        }
    }
}

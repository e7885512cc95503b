package dev.tributary.relay.config;

import java.util.Locale;

/** What the relay reads of an event's row. The names are those of Tributary's own tables, in lower case. */
public enum EventColumn {
    ID,
    AGGREGATE_TYPE,
    AGGREGATE_ID,
    SEQUENCE,
    TYPE,
    CONTENT_TYPE,
    PAYLOAD,
    HEADERS,
    OCCURRED_AT;

    String ownName() {
        return name().toLowerCase(Locale.ROOT);
    }
}

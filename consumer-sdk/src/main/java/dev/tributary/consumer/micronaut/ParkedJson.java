package dev.tributary.consumer.micronaut;

import dev.tributary.consumer.Aggregate;
import dev.tributary.consumer.ParkedAggregate;
import dev.tributary.consumer.ParkedEvent;
import dev.tributary.consumer.Redriven;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** What is parked, as maps that every JSON library writes alike. */
final class ParkedJson {
    private ParkedJson() {}

    static Map<String, Object> of(ParkedAggregate parked) {
        Map<String, Object> json = of(parked.aggregate());
        json.put("events", parked.events());
        json.put("since", parked.since().toString());
        json.put("failedType", parked.failedType());
        json.put("error", parked.error());
        json.put("attempts", parked.attempts());
        return json;
    }

    static Map<String, Object> of(ParkedEvent event) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("number", event.number());
        json.putAll(of(event.aggregate()));
        json.put("eventId", event.id());
        json.put("eventType", event.type());
        json.put("sequence", event.sequence());
        json.put("position", event.position());
        json.put("topic", event.record().topic());
        json.put("partition", event.record().partition());
        json.put("offset", event.record().offset());
        json.put("time", Instant.ofEpochMilli(event.record().timestamp()).toString());
        put(json, "key", event.record().key());
        put(json, "payload", event.record().value());
        List<Map<String, Object>> headers = new ArrayList<>();
        for (Header header : event.record().headers()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", header.key());
            put(one, "value", header.value());
            headers.add(one);
        }
        json.put("headers", headers);
        ParkedEvent.Failure failure = event.failure();
        json.put("error", failure == null ? null : failure.error());
        json.put("stack", failure == null ? null : failure.stack());
        json.put("attempts", failure == null ? 0 : failure.attempts());
        json.put("parkedAt", event.parkedAt().toString());
        return json;
    }

    static Map<String, Object> of(Redriven redriven) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("events", redriven.events());
        json.put("aggregates", redriven.aggregates());
        json.put(
                "failed",
                redriven.failed().stream()
                        .map(failed -> {
                            Map<String, Object> one = of(failed.aggregate());
                            one.put("number", failed.number());
                            one.put("eventType", failed.type());
                            one.put("error", failed.error());
                            return one;
                        })
                        .toList());
        return json;
    }

    static @Nullable String text(@Nullable Instant time) {
        return time == null ? null : time.toString();
    }

    private static Map<String, Object> of(Aggregate aggregate) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("source", aggregate.source());
        json.put("type", aggregate.type());
        json.put("id", aggregate.id());
        return json;
    }

    /** As text; under another name in Base64 if it is none. */
    private static void put(Map<String, Object> json, String name, byte @Nullable [] value) {
        try {
            json.put(
                    name,
                    value == null
                            ? null
                            : StandardCharsets.UTF_8
                                    .newDecoder()
                                    .decode(ByteBuffer.wrap(value))
                                    .toString());
        } catch (CharacterCodingException e) {
            json.put(name + "Base64", Base64.getEncoder().encodeToString(value));
        }
    }
}

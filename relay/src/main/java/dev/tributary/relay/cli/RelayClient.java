package dev.tributary.relay.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.relay.config.HttpConfig;
import dev.tributary.relay.http.HttpApi;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/** Asks the running relay over HTTP. */
final class RelayClient {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Set<String> ALL_ADDRESSES = Set.of("0.0.0.0", "::", "[::]", "*");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI sources;

    private RelayClient(URI sources) {
        this.sources = sources;
    }

    static RelayClient of(HttpConfig http) {
        String host = ALL_ADDRESSES.contains(http.host()) ? HttpConfig.DEFAULT_HOST : http.host();
        String literal = host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
        return new RelayClient(URI.create("http://" + literal + ":" + http.port() + HttpApi.SOURCES_PATH));
    }

    /**
     * The statuses of all sources, as {@link HttpApi#SOURCES_PATH} gives them.
     *
     * @throws IOException with a reason for people, if no relay answers
     */
    JsonNode sources() throws IOException {
        try {
            HttpClient client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
            HttpRequest request =
                    HttpRequest.newBuilder(sources).timeout(PATIENCE).build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            JsonNode json = response.statusCode() == 200 ? JSON.readTree(response.body()) : null;
            if (json == null || !json.isArray()) {
                throw new IOException("something else than a relay answers at " + sources);
            }
            return json;
        } catch (JsonProcessingException e) {
            throw new IOException("something else than a relay answers at " + sources, e);
        } catch (java.net.ConnectException | java.net.http.HttpTimeoutException e) {
            throw new IOException("no relay answers at " + sources, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while asking " + sources, e);
        }
    }

    /** The names of those that stream; none if no relay answers. */
    Set<String> streamingSources() {
        Set<String> streaming = new TreeSet<>();
        try {
            for (JsonNode source : sources()) {
                if (source.path("state").asText().equals("STREAMING")) {
                    streaming.add(source.path("source").asText());
                }
            }
        } catch (IOException e) {
            return Set.of();
        }
        return streaming;
    }
}

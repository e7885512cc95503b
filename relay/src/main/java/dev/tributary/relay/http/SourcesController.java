package dev.tributary.relay.http;

import dev.tributary.relay.running.SourceStatuses;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import java.util.List;

/** How every source stands. */
@Controller(HttpApi.SOURCES_PATH)
final class SourcesController {
    private final SourceStatuses sources;

    SourcesController(SourceStatuses sources) {
        this.sources = sources;
    }

    @Get
    List<SourceJson> sources() {
        return sources.statuses().stream().map(SourceJson::of).toList();
    }
}

package dev.tributary.relay.setup;

import java.util.List;
import java.util.stream.Collectors;

/** A database cannot be prepared; the findings say why, and what to do. */
public final class SetupException extends RuntimeException {
    private final List<Finding> findings;

    SetupException(List<Finding> findings) {
        super(findings.stream().map(Finding::message).collect(Collectors.joining("; ")));
        this.findings = List.copyOf(findings);
    }

    public List<Finding> findings() {
        return findings;
    }
}

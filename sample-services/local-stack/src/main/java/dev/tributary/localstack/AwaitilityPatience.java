package dev.tributary.localstack;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Has tests that name no time of their own wait for two minutes before they fail, and not for Awaitility's 10 s: on a loaded
 * machine a server's start or a rebalance alone takes that long. JUnit finds it by itself wherever this jar is.
 */
public final class AwaitilityPatience implements BeforeAllCallback {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(PATIENCE);
    }
}

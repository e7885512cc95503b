package dev.tributary.localstack;

import com.github.dockerjava.api.DockerClient;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;

/** A container on a port of 127.0.0.1, which it keeps when it is stopped and started again. */
final class ContainerServer implements Server {
    private static final Duration CHANGE_MAX = Duration.ofSeconds(60);
    private static final int STOP_SECONDS_MAX = 15;

    private final GenericContainer<?> container;
    private final IntPredicate serves;
    private final int port;
    private boolean created;

    /** @param serves whether clients are served at a port of this machine */
    ContainerServer(GenericContainer<?> container, int port, int containerPort, IntPredicate serves) {
        this.container = container;
        this.port = port;
        this.serves = serves;
        container.setPortBindings(List.of("127.0.0.1:" + port + ":" + containerPort));
        container.waitingFor(new NoWaiting());
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public synchronized void start() {
        if (!created) {
            container.start();
            created = true;
        } else if (!container.isRunning()) {
            docker().startContainerCmd(container.getContainerId()).exec();
        }
        // Stops waiting for one that has died
        await("serve clients", () -> serves.test(port) || !container.isRunning());
        if (!container.isRunning()) {
            throw failed("end at once");
        }
    }

    @Override
    public synchronized void stop() {
        if (container.isRunning()) {
            docker().stopContainerCmd(container.getContainerId())
                    .withTimeout(STOP_SECONDS_MAX)
                    .exec();
        }
    }

    @Override
    public synchronized void kill() {
        if (container.isRunning()) {
            docker().killContainerCmd(container.getContainerId()).exec();
            await("end", () -> !container.isRunning());
        }
    }

    @Override
    public synchronized void pause() {
        docker().pauseContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public synchronized void resume() {
        docker().unpauseContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public synchronized void close() {
        if (isPaused()) {
            resume();
        }
        container.stop();
    }

    private boolean isPaused() {
        return created
                && Boolean.TRUE.equals(
                        container.getCurrentContainerInfo().getState().getPaused());
    }

    private DockerClient docker() {
        return container.getDockerClient();
    }

    private void await(String what, BooleanSupplier condition) {
        if (!Polling.until(condition, CHANGE_MAX)) {
            throw failed("not " + what);
        }
    }

    private IllegalStateException failed(String what) {
        return new IllegalStateException(container.getDockerImageName() + " did " + what + ": " + container.getLogs());
    }

    /** {@link #start} waits by itself, after a stop, too, of which Testcontainers knows nothing. */
    private static final class NoWaiting extends AbstractWaitStrategy {
        @Override
        protected void waitUntilReady() {}
    }
}

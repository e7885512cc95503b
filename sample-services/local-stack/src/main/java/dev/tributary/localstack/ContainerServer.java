package dev.tributary.localstack;

import com.github.dockerjava.api.DockerClient;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import org.testcontainers.containers.GenericContainer;

/** A container on a host port of its own choice, which it keeps when it is stopped and started again. */
final class ContainerServer implements Server {
    private static final Duration CHANGE_MAX = Duration.ofSeconds(60);
    private static final int STOP_SECONDS_MAX = 15;

    private final GenericContainer<?> container;
    private final IntPredicate serves;
    private final int port = FreePort.next();
    private boolean created;

    /** @param serves whether clients are served at a port of this machine */
    ContainerServer(GenericContainer<?> container, int containerPort, IntPredicate serves) {
        this.container = container;
        this.serves = serves;
        container.setPortBindings(List.of(port + ":" + containerPort));
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
        await("serve clients", () -> serves.test(port));
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
        container.stop();
    }

    private DockerClient docker() {
        return container.getDockerClient();
    }

    private void await(String what, BooleanSupplier condition) {
        if (!Polling.until(condition, CHANGE_MAX)) {
            throw new IllegalStateException(
                    container.getDockerImageName() + " did not " + what + ": " + container.getLogs());
        }
    }
}

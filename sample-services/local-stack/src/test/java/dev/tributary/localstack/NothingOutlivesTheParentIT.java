package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class NothingOutlivesTheParentIT {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Test
    void killedParentTakesServersAndDirectoriesAlong() {
        stackGoesWith(JavaProcess::kill);
    }

    @Test
    void terminatedParentTakesServersAndDirectoriesAlong() {
        stackGoesWith(JavaProcess::terminate);
    }

    private void stackGoesWith(Consumer<JavaProcess> end) {
        try (JavaProcess parent =
                JavaProcess.main(Parent.class).output(lines::add).start()) {
            await().atMost(Duration.ofMinutes(2))
                    .untilAsserted(() -> assertThat(lines).contains("up"));
            List<ProcessHandle> below = Parent.pids(lines);
            Path directory = Path.of(lines.get(0));
            assertThat(below).hasSizeGreaterThan(8);
            assertThat(directory).isNotEmptyDirectory();

            end.accept(parent);

            await().atMost(Duration.ofMinutes(1)).until(() -> below.stream().noneMatch(ProcessHandle::isAlive));
            await().atMost(Duration.ofMinutes(1)).until(() -> !Files.exists(directory));
        }
    }

    /** Has a server frozen, too: it cannot see for itself that its parent is gone. */
    static final class Parent {
        public static void main(String[] args) throws InterruptedException {
            System.out.println(Guardian.instance().directory());
            LocalStack.start();
            LocalPostgres frozen = LocalPostgres.startOwn();
            frozen.pause();
            LocalKafka.shared().pause();
            ProcessHandle.current().descendants().forEach(process -> System.out.println("pid " + process.pid()));
            ProcessHandle.allProcesses()
                    .filter(process -> process.info()
                            .commandLine()
                            .orElse("")
                            .contains(Guardian.instance().directory().toString()))
                    .flatMap(process -> Signals.tree(process).stream())
                    .forEach(process -> System.out.println("pid " + process.pid()));
            System.out.println("up");
            Thread.currentThread().join();
        }

        static List<ProcessHandle> pids(List<String> lines) {
            return lines.stream()
                    .filter(line -> line.startsWith("pid "))
                    .distinct()
                    .map(line -> ProcessHandle.of(Long.parseLong(line.substring(4))))
                    .flatMap(Optional::stream) // a server's worker may have ended by itself
                    .filter(ProcessHandle::isAlive)
                    .toList();
        }
    }
}

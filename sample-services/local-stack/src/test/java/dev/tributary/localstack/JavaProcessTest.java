package dev.tributary.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class JavaProcessTest {
    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Test
    void handsOnOutputAndExitCode() {
        try (JavaProcess process =
                counter().args("exit").env("GREETING", "hello").start()) {
            assertThat(process.waitFor(Duration.ofSeconds(30))).isTrue();
            assertThat(process.exitCode()).isEqualTo(3);
            assertThat(lines).containsExactly("hello");
        }
    }

    @Test
    void isGoneOnceKilled() {
        try (JavaProcess process = counter().args("count").start()) {
            process.kill();

            assertThat(process.isAlive()).isFalse();
            assertThat(process.exitCode()).isEqualTo(128 + 9);
        }
    }

    @Test
    void doesNothingWhilePaused() {
        try (JavaProcess process = counter().args("count").start()) {
            await().until(() -> lines.size() > 3);

            process.pause();
            await().during(Duration.ofMillis(300)).until(() -> lines.size(), new Unchanged());
            int seen = lines.size();
            process.resume();

            await().until(() -> lines.size() > seen);
        }
    }

    private JavaProcess.Builder counter() {
        return JavaProcess.main(Counter.class)
                .jvmArgs("-Xshare:auto", "-XX:TieredStopAtLevel=1")
                .output(lines::add);
    }

    /** Matches once it sees the same number as the time before. */
    private static final class Unchanged extends org.hamcrest.TypeSafeMatcher<Integer> {
        private int before = -1;

        @Override
        protected boolean matchesSafely(Integer now) {
            boolean same = now == before;
            before = now;
            return same;
        }

        @Override
        public void describeTo(org.hamcrest.Description description) {
            description.appendText("unchanged");
        }
    }

    static final class Counter {
        public static void main(String[] args) throws InterruptedException {
            if (args[0].equals("exit")) {
                System.out.println(System.getenv("GREETING"));
                System.exit(3);
            }
            for (int i = 0; ; i++) {
                System.out.println(i);
                Thread.sleep(10);
            }
        }
    }
}

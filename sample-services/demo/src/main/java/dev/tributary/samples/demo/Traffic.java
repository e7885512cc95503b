package dev.tributary.samples.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Customers who order over HTTP at sales, at a steady rate whatever else goes on; now and then one changes names. */
final class Traffic {
    private static final int CUSTOMERS = 50;
    private static final int CLIENTS = 8;
    private static final int ORDERS_PER_RENAME = 20;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final List<String> GOODS = List.of("kettle", "lamp", "notebook", "scarf", "chess set", "umbrella");

    private final URI sales;
    private final Reads reads;
    private final int orders;
    private final Duration duration;
    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final List<String> customers = new ArrayList<>();
    private final AtomicInteger begun = new AtomicInteger();
    private final Set<String> placed = ConcurrentHashMap.newKeySet();

    Traffic(URI sales, Reads reads, int orders, Duration duration) {
        this.sales = sales;
        this.reads = reads;
        this.orders = orders;
        this.duration = duration;
    }

    /** Registers the customers and places a first order, so that every topic comes to be. */
    void begin() throws IOException, InterruptedException {
        for (int i = 1; i <= CUSTOMERS; i++) {
            customers.add(register(i));
        }
        place(customers.get(0));
    }

    /**
     * Places orders and returns once the last one is answered. Fails if sales refuses one.
     *
     * @param goOn whether orders are to go on coming after those that were asked for; for twice the time at most
     */
    void run(BooleanSupplier goOn) throws InterruptedException, ExecutionException {
        long start = System.nanoTime();
        ExecutorService pool = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(pool.submit(() -> {
                    order(start, goOn);
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        } finally {
            pool.shutdownNow();
        }
    }

    /** Ids of the orders that sales has acknowledged. */
    Set<String> placed() {
        return Set.copyOf(placed);
    }

    /** Part of the orders asked for that are placed; more than 1 if they went on coming. */
    double progress() {
        return (double) placed.size() / orders;
    }

    private void order(long start, BooleanSupplier goOn) throws IOException, InterruptedException {
        for (int number = begun.getAndIncrement();
                number < orders || (number < 2 * orders && goOn.getAsBoolean());
                number = begun.getAndIncrement()) {
            long due = start + duration.toNanos() / orders * number;
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            String customer = customers.get(ThreadLocalRandom.current().nextInt(customers.size()));
            place(customer);
            if (number % ORDERS_PER_RENAME == 0) {
                send("PUT", "/customers/" + customer, Map.of("name", "Customer since order " + number));
            }
        }
    }

    private void place(String customer) throws IOException, InterruptedException {
        Map<String, ?> order = Map.of("customerId", customer, "lines", lines(ThreadLocalRandom.current()));
        HttpResponse<String> answer = send("POST", "/orders", order);
        String id = id(answer);
        placed.add(id);
        answer.headers().firstValue("Tributary-Token").ifPresent(token -> reads.look(customer, id, token));
    }

    private String register(int number) throws IOException, InterruptedException {
        Map<String, ?> customer = Map.of("name", "Customer " + number, "email", "customer" + number + "@example.com");
        return id(send("POST", "/customers", customer));
    }

    private String id(HttpResponse<String> answer) throws IOException {
        return json.readTree(answer.body()).get("id").asText();
    }

    private static List<Map<String, ?>> lines(ThreadLocalRandom random) {
        List<Map<String, ?>> lines = new ArrayList<>();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            lines.add(Map.of(
                    "product", GOODS.get(random.nextInt(GOODS.size())),
                    "quantity", random.nextInt(1, 10),
                    "unitPriceCents", random.nextInt(100, 10_000)));
        }
        return lines;
    }

    private HttpResponse<String> send(String method, String path, Map<String, ?> body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(sales.resolve(path))
                .timeout(TIMEOUT)
                .header("content-type", "application/json")
                .method(method, BodyPublishers.ofString(json.writeValueAsString(body)))
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) {
            throw new IllegalStateException(
                    method + " " + path + " at sales: " + response.statusCode() + " " + response.body());
        }
        return response;
    }
}

package dev.tributary.samples.benchmarks;

/**
 * What all contenders do by turns.
 *
 * @param eventsPerTransaction of one aggregate
 * @param hot whether all clients write the same aggregate; otherwise each has its own ones
 */
record WriteSetting(int clients, int eventsPerTransaction, boolean hot) {
    String title() {
        return clients
                + (clients == 1 ? " client, " : " clients, ")
                + eventsPerTransaction
                + (eventsPerTransaction == 1 ? " event" : " events")
                + (hot ? ", all of one aggregate" : "");
    }

    /** The aggregate of a client's next transaction. */
    int aggregate(int client, int random) {
        return hot ? 0 : client + clients * (random % (WriteTables.AGGREGATES / clients));
    }
}

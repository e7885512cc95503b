package dev.tributary.relay.source;

/** As many transactions as take some ten seconds. */
class PgOutputFuzzIT extends PgOutputFuzzTest {
    @Override
    int transactions() {
        return 200_000;
    }
}

package dev.tributary.relay;

import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A source and a topic for each test, on servers that all share. */
abstract class ReplayFixture {
    ReplayUnderTest replay;
    SourceUnderTest source;

    @BeforeEach
    void open() throws SQLException {
        replay = new ReplayUnderTest();
        source = replay.source;
    }

    @AfterEach
    void close() throws Exception {
        replay.close();
    }
}

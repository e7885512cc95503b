package dev.tributary.relay.simulation;

/** What can go wrong. Each seed has some of these, so that each also comes without the others. */
enum Fault {
    /** SIGKILL: what is in memory is gone; a request on its way may still be taken. */
    KILL_RELAY,
    /** SIGKILL, and the request on its way is taken only after another relay has taken over. */
    KILL_RELAY_WITH_LATE_REQUEST,
    /** SIGTERM. */
    CLOSE_RELAY,
    /** SIGSTOP; another relay runs meanwhile. The frozen one goes on when that has ended. */
    FREEZE_RELAY,
    /** The server forgets what it had not written: open transactions, and how far the slot was confirmed. */
    CRASH_SERVER,
    /** The relay's connection is gone, and the server has not noticed. */
    CUT_STREAM,
    /** Nothing arrives any more, and neither side has noticed. */
    SILENCE_STREAM,
    STOP_BROKER,
    /** A batch is given up by the producer, be it taken or not. */
    FAIL_SEND,
    ADD_PARTITION,
    MOVE_SLOT,
    DROP_SLOT
}

package dev.tributary.relay.replay;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.replay.HistoryReplay.Account;
import dev.tributary.relay.replay.ReplayNotes.Moment;
import dev.tributary.relay.source.RowsSince;
import java.sql.SQLException;
import java.util.Map;
import java.util.stream.Collectors;

/** Rows that a history should have, and that retention has dropped: a hole in it is named, and refused unless it is accepted. */
final class Losses {
    private static final String REMEDY =
            "begin again, with another topic: that one holds what there is now. Or run it with"
                    + " --accept-loss, and have readers park what comes behind the hole. Keep retention.window longer than";
    private static final String IN_THE_MIDDLE = REMEDY + " replays are stopped for";
    private static final String BETWEEN_ROUNDS = REMEDY
            + " from round to round; or replay types of which all events are in the event store to topics of their own"
            + " (--aggregate-type): of those nothing is dropped";

    private final RowsSince since;
    private final boolean accepted;
    private final Account account;

    Losses(SourceConfig source, boolean accepted, Account account) {
        this.since = new RowsSince(source);
        this.accepted = accepted;
        this.account = account;
    }

    /** Nobody has promised those; but a reader should know. */
    void sayBeforeTheFirstRound(Part part) throws SQLException {
        String gone = part.hasWholeTypes() ? text(since.gone(part.aggregateTypes())) : "";
        if (!gone.isEmpty()) {
            account.say("not there any more, and so not replayed: " + gone);
        }
    }

    /**
     * To be asked when the rows that are left are kept. The database tells how far its events were dropped, and not which: of
     * types whose sequences are all there it was others. Events without a sequence leave nothing behind.
     *
     * @param sequenced whether all events of the part that have been seen, then or now, have a sequence
     */
    void refuseBeforeAnotherRound(Part part, Moment before, boolean sequenced) throws SQLException {
        if (!since.droppedBehind(before.lsn())) {
            return;
        }
        String dropped = "retention has dropped events from tributary.outbox that committed behind "
                + RelayPast.text(before.lsn()) + ", where this replay ends";
        String gone = text(since.gone(part.aggregateTypes()));
        if (!gone.isEmpty() || part.aggregateTypes().isEmpty()) {
            refuse(
                    dropped + ", so what is added to it would have a hole"
                            + (gone.isEmpty() ? "" : "; not there any more, some of them since before: " + gone),
                    BETWEEN_ROUNDS);
        } else if (!sequenced) {
            refuse(
                    dropped
                            + "; of those that were asked for all with a sequence are there, but some have none, and whether"
                            + " such were dropped nobody can tell",
                    BETWEEN_ROUNDS + ". If the service has published none without a sequence since, nothing is missing:"
                            + " --accept-loss accepts no loss then");
        } else {
            account.say(dropped + "; of those that were asked for all sequences are there");
        }
    }

    /** @param gone how many of the rows that it has not come to */
    void refuseInTheMiddle(ReplayNotes notes, long gone) throws SQLException {
        if (gone > 0) {
            refuse(
                    gone + " of the " + (notes.total() - notes.done())
                            + " events that were still to be replayed are not there"
                            + " any more: they were dropped, by retention most likely, since the replay was begun at "
                            + notes.moment().takenAt(),
                    IN_THE_MIDDLE);
        }
    }

    private void refuse(String what, String remedy) {
        if (!accepted) {
            throw new RelayException.Stopped(what, remedy, null);
        }
        account.say("accepted: " + what);
    }

    private static String text(Map<String, Long> gone) {
        return gone.entrySet().stream()
                .map(each -> each.getValue() + " events of " + each.getKey())
                .collect(Collectors.joining(", "));
    }
}

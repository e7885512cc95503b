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
                    + " --accept-loss, and have readers park what comes behind the hole. Keep retention.window longer than replays are"
                    + " stopped for, or events that are replayed in the event store";

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
        String gone = goneByType(part);
        if (!gone.isEmpty()) {
            account.say("not there any more, and so not replayed: " + gone);
        }
    }

    /** To be asked when the rows that are left are kept. */
    void refuseBeforeAnotherRound(Part part, Moment before) throws SQLException {
        if (since.droppedBehind(before.lsn())) {
            String gone = goneByType(part);
            refuse("retention has dropped events from tributary.outbox that committed behind "
                    + RelayPast.text(before.lsn())
                    + ", where this replay ends, so what is added to it would have a hole"
                    + (gone.isEmpty() ? "" : "; not there any more, some of them since before: " + gone));
        }
    }

    /** @param gone how many of the rows that it has not come to */
    void refuseInTheMiddle(ReplayNotes notes, long gone) throws SQLException {
        if (gone > 0) {
            refuse(gone + " of the " + (notes.total() - notes.done())
                    + " events that were still to be replayed are not there"
                    + " any more: they were dropped, by retention most likely, since the replay was begun at "
                    + notes.moment().takenAt());
        }
    }

    private void refuse(String what) {
        if (!accepted) {
            throw new RelayException.Stopped(what, REMEDY, null);
        }
        account.say("accepted: " + what);
    }

    private String goneByType(Part part) throws SQLException {
        if (!part.hasWholeTypes()) {
            return "";
        }
        Map<String, Long> gone = since.gone(part.aggregateTypes());
        return gone.entrySet().stream()
                .map(each -> each.getValue() + " events of " + each.getKey())
                .collect(Collectors.joining(", "));
    }
}

package dev.tributary.relay;

import dev.tributary.outbox.wire.ProgressMark.Publication;
import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.RelayException;
import dev.tributary.relay.recover.Unrelayed;
import dev.tributary.relay.recover.Unrelayed.Rows;
import dev.tributary.relay.sink.Kafka;
import dev.tributary.relay.source.SourceDatabase;
import dev.tributary.relay.source.SourceDatabase.Pulse;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that somebody has altered the publication, though it is in order again when it is looked at, also while no relay ran:
 * marks tell how it was. What has committed in between is not in the stream, which says nothing of it; so the rows are
 * compared with Kafka as soon as the stream is past them. Most alterations keep nothing from anybody. Used by one thread.
 */
final class PublicationWatch {
    private static final Logger LOG = LoggerFactory.getLogger(PublicationWatch.class);
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String RECOVER = "run `recover --new-epoch`, which publishes what is only in the tables";

    private final SourceConfig source;
    private final Kafka kafka;
    private @Nullable Publication known;
    private @Nullable Suspicion suspicion;

    /** @param known what the last mark says of it; null if it says nothing */
    PublicationWatch(SourceConfig source, Kafka kafka, @Nullable Publication known) {
        this.source = source;
        this.kafka = kafka;
        this.known = known;
    }

    /** As it was when it had kept nothing from the relay, for marks; null if that is not known. */
    @Nullable
    Publication known() {
        return known;
    }

    /** Whether it has to be looked at soon. */
    boolean isSuspect() {
        return suspicion != null;
    }

    /**
     * Looks at it.
     *
     * @param pulse of before
     * @param markedLsn up to where everything that the stream has brought is in Kafka
     * @throws RelayException.HistoryBroken if it keeps events from the relay, or has
     */
    void look(SourceDatabase database, Pulse pulse, long markedLsn) throws SQLException {
        if (!source.layout().isOwn()) {
            database.refuseHiddenEvents();
            return; // rows of its tables may be gone, and tell nothing
        }
        String identity = database.publicationIdentity(); // first: what is altered in between is seen the next time
        database.refuseHiddenEvents();
        if (suspicion != null && suspicion.isCleared(pulse, markedLsn)) {
            known = suspicion.found;
            suspicion = null;
            LOG.info("Source {}: no event was kept from the relay", source.name());
        }
        if (suspicion == null) {
            Publication now = new Publication(
                    identity, pulse.ended().belowXid(), pulse.time().toEpochMilli());
            if (known == null || known.identity().equals(identity)) {
                known = now;
            } else {
                LOG.warn(
                        "Source {}: publication {} has been altered since {}; the relay looks whether events were kept from"
                                + " it meanwhile",
                        source.name(),
                        source.publication(),
                        Instant.ofEpochMilli(known.timeMillis()));
                suspicion = new Suspicion(known, now, database.server().nextXid());
            }
        }
    }

    /** An alteration of which it is not known yet whether it has kept events from the relay. */
    private final class Suspicion {
        private final Publication before;
        private final Publication found;
        private final long nextXid;
        private final Unrelayed unrelayed;
        private @Nullable FutureTask<Rows> rows;
        private @Nullable FutureTask<Set<UUID>> lacked;

        /** @param nextXid of transactions from there on, nothing was kept from the relay by it */
        Suspicion(Publication before, Publication found, long nextXid) {
            this.before = before;
            this.found = found;
            this.nextXid = nextXid;
            this.unrelayed = new Unrelayed(source, kafka, before);
        }

        boolean isCleared(Pulse pulse, long markedLsn) throws SQLException {
            try {
                return isCleared(pulse.ended().belowXid(), markedLsn);
            } catch (ExecutionException e) {
                rows = null;
                lacked = null;
                if (e.getCause() instanceof SQLException failed
                        && INSUFFICIENT_PRIVILEGE.equals(failed.getSQLState())) {
                    throw untold(
                            String.valueOf(failed.getMessage()),
                            "let the relay's role read the event tables (docs/operating.md) and restart the relay, which looks"
                                    + " again; or " + RECOVER);
                }
                LOG.warn("Source {}: rows were not compared with Kafka, trying again", source.name(), e.getCause());
                return false;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        private boolean isCleared(long endedBelowXid, long markedLsn) throws ExecutionException, InterruptedException {
            if (rows == null) {
                // A transaction that wrote then may not have committed yet
                rows = Long.compareUnsigned(endedBelowXid, nextXid) >= 0 ? begun(unrelayed::rows) : null;
            } else if (lacked == null) {
                Rows read = rows.isDone() ? rows.get() : null;
                if (read != null && read.tooMany()) {
                    throw untold("more than " + read.ids().size() + " events have committed meanwhile", RECOVER);
                } else if (read != null && Long.compareUnsigned(markedLsn, read.walEnd()) >= 0) {
                    lacked = begun(() -> unrelayed.lackedByKafka(read));
                }
            } else if (lacked.isDone()) {
                refuse(lacked.get());
                return true;
            }
            return false;
        }

        private <T> FutureTask<T> begun(Callable<T> task) {
            FutureTask<T> begun = new FutureTask<>(task);
            kafka.background().execute(begun);
            return begun;
        }

        private void refuse(Set<UUID> events) {
            if (!events.isEmpty()) {
                throw broken(
                        " has kept " + events.size() + " events from the relay, such as "
                                + events.iterator().next(),
                        RECOVER);
            }
        }

        private RelayException.HistoryBroken untold(String why, String remedy) {
            return broken(" may have kept events from the relay, which cannot tell (" + why + ")", remedy);
        }

        private RelayException.HistoryBroken broken(String what, String remedy) {
            return new RelayException.HistoryBroken(
                    "publication " + source.publication() + what + ": somebody has altered it between "
                            + Instant.ofEpochMilli(before.timeMillis()) + " and "
                            + Instant.ofEpochMilli(found.timeMillis()) + ", and mended it since",
                    remedy);
        }
    }
}

package dev.tributary.relay.source;

import static dev.tributary.relay.source.PgOutputMessage.begin;
import static dev.tributary.relay.source.PgOutputMessage.commit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.relay.config.SourceConfig;
import dev.tributary.relay.flow.ChangeListener;
import dev.tributary.relay.flow.OutboxEvent;
import dev.tributary.relay.flow.RelayException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Transactions with a damaged message: each ends in an exception that the relay knows, or is the one that was sent. */
@Timeout(60)
class PgOutputFuzzTest {
    private static final long SEED = 20_261_121;
    private static final SourceConfig SOURCE = new SourceConfig(
            "sales", "jdbc:postgresql:sales", "relay", "", SourceConfig.Engine.PGOUTPUT, "${source}", 3);

    /** What is done to one message of a transaction. */
    private enum Damage {
        NONE(false),
        TRUNCATED(true),
        LENGTHENED(true),
        LOST(true),
        REPEATED(true),
        LENGTH_CHANGED(true),
        BITS_FLIPPED(false),
        NOISE(true);

        /** Whether nobody can fail to see it. */
        final boolean obvious;

        Damage(boolean obvious) {
            this.obvious = obvious;
        }
    }

    private final Random random = new Random(SEED);

    /** How many of them; more in {@link PgOutputFuzzIT}. */
    int transactions() {
        return 20_000;
    }

    @Test
    void whateverTheServerSendsIsReadRightOrRefused() {
        int refused = 0;
        for (int i = 0; i < transactions(); i++) {
            Damage damage = Damage.values()[random.nextInt(Damage.values().length)];
            refused += read(i, damage) ? 0 : 1;
        }
        assertThat(refused).isBetween(transactions() / 2, transactions() * 7 / 8);
    }

    /** False if it was refused. */
    private boolean read(int number, Damage damage) {
        int inserts = 1 + random.nextInt(3);
        List<byte[]> messages = transaction(inserts);
        String wasSent = readable(messages);
        byte[] relation = messages.get(1).clone();
        damage(messages, damage);
        String as = "transaction " + number + " of seed " + SEED + ", " + damage;
        String read;
        try {
            read = readable(messages);
        } catch (RelayException expected) {
            assertThat(damage).as(as).isNotEqualTo(Damage.NONE);
            assertThat(expected.reason()).as(as).isNotEmpty();
            return false;
        } // and any other ends the test
        if (damage == Damage.NONE) {
            assertThat(read).as(as).isEqualTo(wasSent);
        }
        assertThat(damage.obvious).as("%s, unnoticed: %s", as, read).isFalse();
        if (Arrays.equals(messages.get(1), relation)) {
            assertThat(read.lines().count()).as(as).isEqualTo(inserts + 1);
        } // otherwise it may have become another table's
        return true;
    }

    /** Begin, the table with its columns in any order and some more, rows, Commit. */
    private List<byte[]> transaction(int inserts) {
        List<String> columns = new ArrayList<>(Arrays.asList(PgOutputMessage.COLUMNS));
        for (int i = random.nextInt(3); i > 0; i--) {
            columns.add("more_" + i);
        }
        Collections.shuffle(columns, random);
        long commitLsn = 1L + random.nextInt(Integer.MAX_VALUE);
        List<byte[]> messages = new ArrayList<>();
        messages.add(begin(commitLsn).content());
        messages.add(PgOutputMessage.relation(7, "outbox", columns.toArray(String[]::new))
                .content());
        for (int i = 0; i < inserts; i++) {
            messages.add(row(columns).content());
        }
        messages.add(commit(commitLsn, commitLsn + 8).content());
        return messages;
    }

    private PgOutputMessage row(List<String> columns) {
        PgOutputMessage row = new PgOutputMessage('I').i32(7).i8('N').i16(columns.size());
        boolean binary = random.nextBoolean();
        for (String column : columns) {
            switch (column) {
                case "id" -> value(row, binary, new PgOutputMessage().i64(1).i64(2), PgOutputMessage.ID.toString());
                case "sequence" -> value(row, binary, new PgOutputMessage().i64(7), "7");
                case "occurred_at" -> value(row, binary, new PgOutputMessage().i64(9), "2000-01-01 02:00:01+02");
                case "payload" -> value(row, binary, new PgOutputMessage().i64(9), "\\x0100ff");
                case "headers", "more_1" -> row.nul();
                default -> row.text("x".repeat(random.nextInt(20)));
            }
        }
        return row;
    }

    private static void value(PgOutputMessage row, boolean binary, PgOutputMessage bytes, String text) {
        if (binary) {
            row.binary(bytes);
        } else {
            row.text(text);
        }
    }

    private void damage(List<byte[]> messages, Damage damage) {
        int at = random.nextInt(messages.size());
        byte[] message = messages.get(at);
        switch (damage) {
            case NONE -> {}
            case TRUNCATED -> messages.set(at, Arrays.copyOf(message, random.nextInt(message.length)));
            case LENGTHENED -> messages.set(at, Arrays.copyOf(message, message.length + 1 + random.nextInt(40)));
            case LOST -> messages.remove(random.nextBoolean() ? random.nextInt(2) : messages.size() - 1);
            case REPEATED -> {
                at = random.nextBoolean() ? 0 : messages.size() - 1;
                messages.add(at, messages.get(at));
            }
            case LENGTH_CHANGED -> changeLength(messages);
            case BITS_FLIPPED -> {
                for (int i = 1 + random.nextInt(3); i > 0; i--) {
                    message[random.nextInt(message.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case NOISE -> {
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                if (noise.length > 0 && "DOY".indexOf(noise[0]) >= 0) {
                    noise[0] = 'I';
                }
                messages.set(at, noise);
            }
        }
    }

    /** Of the first column that has one, in the first row. */
    private void changeLength(List<byte[]> messages) {
        ByteBuffer row = ByteBuffer.wrap(messages.get(2));
        int at = 8;
        while (row.get(at) == 'n') {
            at++;
        }
        int[] lengths = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, row.getInt(at + 1) + 1, random.nextInt()};
        row.putInt(at + 1, lengths[random.nextInt(lengths.length)]);
    }

    private static String readable(List<byte[]> messages) {
        PgOutputDecoder decoder = new PgOutputDecoder(SOURCE, 3);
        Transcript transcript = new Transcript();
        for (byte[] message : messages) {
            decoder.decode(ByteBuffer.wrap(message), transcript);
        }
        GarbledMessage.unless(!decoder.inTransaction(), "no Commit");
        return transcript.text.toString();
    }

    private static final class Transcript implements ChangeListener {
        final StringBuilder text = new StringBuilder();

        @Override
        public void event(OutboxEvent event) {
            text.append(event)
                    .append(' ')
                    .append(event.aggregateType())
                    .append(' ')
                    .append(text(event.aggregateId()))
                    .append(' ')
                    .append(text(event.type()))
                    .append(' ')
                    .append(Arrays.toString(event.payload()))
                    .append(' ')
                    .append(text(event.headers()))
                    .append(event.sequence())
                    .append(event.occurredAt())
                    .append('\n');
        }

        private static String text(byte @Nullable [] utf8) {
            return utf8 == null ? "-" : new String(utf8, StandardCharsets.ISO_8859_1).replace('\n', ' ');
        }

        @Override
        public void committed(long endLsn, Instant committedAt) {
            text.append(endLsn).append(' ').append(committedAt).append('\n');
        }
    }
}

package dev.tributary.outbox.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.outbox.wire.ReadToken.Write;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadTokenTest {
    private static final Write SALES = new Write("sales", "7431234567890123456", 3, 0x16B3748L, 1_790_000_000_123L);

    @Test
    void textIsFitForHeadersAndReadsBack() {
        ReadToken token =
                ReadToken.of(SALES).and(ReadToken.of(new Write("fulfilment_2", "18446744073709551615", -1, -1, 0)));
        assertThat(token)
                .hasToString("1~sales.7431234567890123456.3.16b3748.1790000000123"
                        + "~fulfilment_2.18446744073709551615.4294967295.ffffffffffffffff.0");
        assertThat(ReadToken.parse(token.toString())).isEqualTo(token);
    }

    @Test
    void bothOfOneHistoryAreTheLaterOne() {
        Write later = new Write("sales", SALES.systemId(), 3, 0x8000000000000000L, 5);
        assertThat(ReadToken.of(SALES).and(ReadToken.of(later))).isEqualTo(ReadToken.of(later));
        assertThat(ReadToken.of(later).and(ReadToken.of(SALES))).isEqualTo(ReadToken.of(later));
    }

    @Test
    void placesOfDifferentHistoriesDoNotCompareAndAreKept() {
        Write promoted = new Write("sales", SALES.systemId(), 4, 1, 5);
        Write other = new Write("sales", "1", 3, 1, 5);
        ReadToken token = ReadToken.of(SALES).and(ReadToken.of(promoted)).and(ReadToken.of(other));
        assertThat(token.writes()).containsExactly(SALES, promoted, other);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "1~",
                "sales.7431.3.16b3748.1",
                "1~sales.7431.3.16b3748",
                "1~sales.7431.3.16B3748.1",
                "1~Sales.7431.3.16b3748.1",
                "1~sales.7431.4294967296.16b3748.1",
                "1~sales.7431.3.16b3748.1~",
                "1~sales.7431.3.16b3748.1\r\nSet-Cookie: x"
            })
    void whatIsNoTokenIsSaidToBeNone(String text) {
        assertThatThrownBy(() -> ReadToken.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a token, expected 1~<source>");
    }

    @Test
    void aLaterVersionIsSaidToBeOne() {
        assertThatThrownBy(() -> ReadToken.parse("2~whatever"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("version 2")
                .hasMessageContaining("upgrade");
    }

    @Test
    void strangersCannotSendEndlessOnes() {
        assertThatThrownBy(() -> ReadToken.parse("1~" + "x".repeat(1_000_000)))
                .hasMessageContaining("not a token")
                .extracting(e -> e.getMessage().length())
                .matches(length -> length < 300);
        String many = "1"
                + String.join(
                        "",
                        IntStream.range(0, 33)
                                .mapToObj(i -> "~s" + i + ".1.1.1.1")
                                .toList());
        assertThatThrownBy(() -> ReadToken.parse(many)).hasMessageContaining("1 to 32 writes");
    }
}

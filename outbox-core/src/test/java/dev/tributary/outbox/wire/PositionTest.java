package dev.tributary.outbox.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PositionTest {
    @Test
    void textOrderIsPositionOrder() {
        List<Position> ascending = List.of(
                Position.START,
                new Position(0, 0, 1),
                new Position(0, 1, 0),
                new Position(0, Long.MAX_VALUE, -1),
                new Position(0, Long.MIN_VALUE, 0),
                new Position(0, -1L, -1),
                new Position(1, 0, 0),
                new Position(-1, 0, 0));
        assertThat(ascending).isSorted();
        assertThat(ascending.stream().map(Position::toString)).isSorted();
    }

    @Test
    void textFormIsReadBack() {
        Position position = new Position(2, 0x16_B374_D848L, 41);
        assertThat(position).hasToString("00000002-00000016b374d848-00000029");
        assertThat(Position.parse(position.toString())).isEqualTo(position);
    }

    @Test
    void anythingElseIsRefusedByName() {
        Stream.of("", "0", "00000002-00000016b374d848_00000029", "0000000g-00000016b374d848-00000029")
                .forEach(text -> assertThatThrownBy(() -> Position.parse(text))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("'" + text + "'"));
    }
}

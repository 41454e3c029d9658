"""Which ink is whose: parts go to one symbol each, touching ones are cut, and nothing is lost."""

from __future__ import annotations

import numpy as np

from ink.rows import Line, find_rows
from ink.shares import share_out

UPRIGHT = np.array([True, True])


def line_of(*places: tuple[int, int, int, int], shape: tuple[int, int] = (120, 300)) -> Line:
    ink = np.zeros(shape, np.float32)
    for left, top, right, bottom in places:
        ink[top:bottom, left:right] = 1
    (line,) = find_rows(ink).lines
    return line


def test_parts_apart_go_to_their_symbols() -> None:
    line = line_of((20, 10, 40, 100), (80, 10, 100, 100))
    pieces, rest = share_out(line, np.array([[2, 18], [62, 78]]), UPRIGHT)
    assert [piece.box for piece in pieces if piece] == [(20, 10, 40, 100), (80, 10, 100, 100)]
    assert rest == []


def test_touching_symbols_are_cut_where_there_is_least_ink() -> None:
    line = line_of((20, 10, 50, 100), (50, 50, 70, 54), (70, 10, 100, 100))
    pieces, rest = share_out(line, np.array([[5, 25], [55, 75]]), UPRIGHT)
    first, second = pieces
    assert first is not None and second is not None and rest == []
    assert 50 <= first.box[2] <= 70 and first.box[2] == second.box[0]
    assert first.ink.sum() + second.ink.sum() == line.ink.sum()


def test_a_line_under_the_writing_is_nobodys() -> None:
    line = line_of((20, 10, 40, 90), (80, 10, 100, 90), (15, 100, 110, 104))
    pieces, rest = share_out(line, np.array([[7, 22], [67, 82]]), UPRIGHT)
    assert [piece.box for piece in pieces if piece] == [(20, 10, 40, 90), (80, 10, 100, 90)]
    assert [piece.box for piece in rest] == [(15, 100, 110, 104)]


def test_no_ink_is_lost_or_shared_by_two() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        ink = np.zeros((80, 240), np.float32)
        for _ in range(int(rng.integers(2, 9))):
            x, y = int(rng.integers(0, 220)), int(rng.integers(0, 50))
            ink[y : y + int(rng.integers(8, 30)), x : x + int(rng.integers(4, 40))] = rng.uniform(0.3, 1)
        for line in find_rows(ink).lines:
            width = line.ink.shape[1]
            ends = np.sort(
                rng.choice(
                    np.arange(-12, width + 12), 2 * int(rng.integers(1, 4)), False
                )  # beside the ink, too
            )
            spans = ends.reshape(-1, 2)
            pieces, rest = share_out(line, spans, rng.random(len(spans)) < 0.7)
            found = np.zeros(line.ink.shape, np.float32)
            for piece in [*(piece for piece in pieces if piece), *rest]:
                left, top, right, bottom = piece.box
                x, y = line.box[:2]
                found[top - y : bottom - y, left - x : right - x] += piece.ink
            assert np.allclose(found, line.ink)


def test_a_symbol_that_was_read_beside_its_ink_gets_it() -> None:
    line = line_of(
        (30, 10, 34, 100), (60, 10, 64, 100), (60, 10, 100, 14), (96, 10, 100, 100), (0, 40, 4, 60)
    )
    for spans in ([[1, 3], [10, 14], [70, 80]], [[1, 3], [38, 44], [101, 103]]):
        pieces, rest = share_out(line, np.array(spans), np.ones(3, bool))
        assert [piece.box[0] for piece in pieces if piece] == [0, 30, 60] and rest == []


def test_symbols_that_were_read_before_their_ink_share_it() -> None:
    line = line_of((20, 10, 60, 100))
    pieces, rest = share_out(line, np.array([[-1.5, -1.5], [-1.5, -1.5]]), UPRIGHT)
    assert sum(piece.ink.sum() for piece in [*(each for each in pieces if each), *rest]) == line.ink.sum()

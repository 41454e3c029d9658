"""The line reader's training: what lines are made of, that it learns, goes on bit for bit, and ends in one model."""

import copy
import gzip
import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import train
from base.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from dataset import Digits
from model import BLANK, SYMBOLS, LineReader, build_model
from recognizer import Recognizer
from recognizer.decoding import search
from recognizer.forms import is_usual
from recognizer.judge import Company
from training import line_fit, lines, pooling
from training.hands import load_hands
from training.hands.glyphs import Glyphs, alone, fit_sign, glyphs_of_templates, split_number, thinned
from training.hands.sets import Item
from training.lines import (
    PASSES,
    ComposedRounds,
    batch_width,
    compose_ahead,
    group_by_width,
    labels_of,
    line_loss,
    make_batch,
    second_stage,
)
from training.pictures import wear
from training.pictures.lines import SIGNS, Composer
from training.pictures.marks import Mark, Pen, arrange, bent, sort_by_pen
from training.pictures.signs import draw_sign
from training.pictures.texts import merge_others, random_text
from training.pictures.wear import littered
from training.recipe import TrainConfig
from training.resume import restore, save
from training.rounds import Rounds, StopSignals
from training.run import Run
from training.team import Interrupted

CPU = torch.device("cpu")
TWO_ROUNDS = TrainConfig(arch="tiny", lines_rounds=2)
ONE = [[10, 0], [10, 80]]
SEVEN = [[40, 0], [80, 0], [55, 80]]
DASH = [[110, 42], [140, 40]]


@pytest.fixture(scope="module")
def glyphs() -> Glyphs:
    """Templates, and two real numbers, one of a writer held out."""
    made = glyphs_of_templates()
    made.add("numbers", [number("1-7", "w1")], [number("17", "w2")])
    return made


@pytest.fixture(scope="module")
def composer(digits: Digits, glyphs: Glyphs) -> Composer:
    return Composer(digits.images[:1000, 0].numpy(), digits.labels[:1000].numpy(), glyphs)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rounds of 24 lines in several batches, and a fit on a few."""
    for module, values in (
        (lines, {"LINES": 24, "BATCH_COLUMNS": 1500}),
        (line_fit, {"MADE": 10, "MIXED": 10, "SINGLE": 10}),
        (pooling, {"TEMPERATURES": (1.0,), "FORMS_WORTH": (0.0, 2.0)}),
    ):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    yield


@pytest.fixture
def bare() -> Checkpoint:
    """A small classifier that has learnt nothing."""
    torch.manual_seed(0)
    return Checkpoint(build_model("tiny", 10).eval(), "tiny", {"width": 12})


def number(text: str, writer: str) -> Item:
    """A number of 1, - and 7 in a line, 80 units high."""
    strokes: list[list[list[float]]] = []
    right = 0
    for character in text:
        mark = {"1": ONE, "7": SEVEN, "-": DASH}[character]
        left = min(x for x, _ in mark)
        strokes.append([[x - left + right, y] for x, y in mark])
        right += max(x for x, _ in mark) - left + 25
    return Item(text, writer, strokes)


# ---------------------------------------------------------------------------------- composed lines


def test_a_composed_line_is_a_strip_and_says_nothing_outside_the_alphabet(composer: Composer) -> None:
    rng, kinds = np.random.default_rng(0), set()
    for _ in range(150):
        strip, text = composer.compose(rng)
        assert strip.dtype == np.uint8 and strip.shape[0] == 32 and strip.shape[1] % 4 == 0
        assert text and set(text) <= set(SYMBOLS) and "??" not in text
        assert strip.max() > 128
        kinds |= set(text)
    assert kinds >= set("0123456789?") and len(kinds & set(SIGNS)) >= 6


def test_a_strip_is_as_wide_as_its_text_is_long(composer: Composer) -> None:
    rng = np.random.default_rng(1)
    made = [composer.compose(rng) for _ in range(300)]
    widths = {
        count: np.median([strip.shape[1] for strip, text in made if len(text) == count])
        for count in (1, 4, 8)
    }
    assert widths[1] < widths[4] < widths[8]
    room = [strip.shape[1] // 2 >= 2 * len(text) for strip, text in made]  # columns that CTC needs, about
    assert np.mean(room) >= 0.99


def test_the_same_seed_makes_the_same_lines(composer: Composer) -> None:
    one, other = (composer.compose(np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one[0], other[0]) and one[1] == other[1]


def test_texts_are_of_known_symbols_and_other_marks_are_merged() -> None:
    rng = np.random.default_rng(0)
    assert all(set(random_text(rng)) <= set(SYMBOLS) for _ in range(300))
    assert merge_others("$1 2##3.½½") == "?12?3.?"


def test_a_bent_glyph_is_much_the_same_glyph(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(0)
    for strokes, _ in glyphs.numbers * 20:
        again = bent(strokes, rng)
        assert [len(stroke) for stroke in again] == [len(stroke) for stroke in strokes]
        moved = np.concatenate(again) - np.concatenate(strokes)
        assert 0.01 < np.abs(moved).max() < 1.0


def test_dirt_is_added_to_a_digit_and_takes_none_of_it(digits: Digits) -> None:
    rng = np.random.default_rng(0)
    digit = digits.images[0, 0].numpy().astype(np.float32) / 255
    for _ in range(30):
        made = littered(digit, rng)
        around = (made.shape[0] - 28) // 2
        middle = made[around : around + 28, around : around + 28]
        assert (middle >= digit - 1e-6).all() and made.sum() > digit.sum() and made.max() <= 1


def test_a_smeared_digit_is_softer_along_one_way_and_a_frayed_one_keeps_its_place(digits: Digits) -> None:
    rng, pen = np.random.default_rng(0), Pen(20.0, 1.0, 1.0, 0.0)
    digit = digits.images[0, 0].numpy().astype(np.float32) / 255
    for _ in range(20):
        smeared, frayed = wear._smeared(digit, pen, rng), wear._frayed(digit, pen, rng)
        assert (
            (smeared > 0.02).sum() > 1.1 * (digit > 0.02).sum() and 0 <= smeared.min() and smeared.max() <= 1
        )
        assert frayed.shape == digit.shape and frayed.sum() == pytest.approx(digit.sum(), rel=0.25)
        assert not np.allclose(frayed, digit, atol=0.2)
        middles = [np.average(np.indices(each.shape)[1], weights=each) for each in (frayed, digit)]
        assert abs(middles[0] - middles[1]) < 1


def test_a_spelt_word_is_no_digit_and_half_of_its_letters_are_clear(composer: Composer) -> None:
    rng, pen = np.random.default_rng(0), Pen(30.0, 1.0, 1.0, 0.0)
    words = [composer._words(pen, rng) for _ in range(30)]
    assert {mark.symbol for word in words for mark in word} == {"?"}
    assert max(map(len, words)) > 2 and min(map(len, words)) >= 1


def test_arranged_marks_stand_side_by_side_with_all_their_ink(composer: Composer) -> None:
    rng = np.random.default_rng(0)
    marks = [Mark(digit, np.ones((30, 10), np.float32), -30) for digit in "123"]
    for _ in range(50):
        ink, text = arrange(marks, 30.0, rng)
        assert text == "123" and 300 < (ink > 0).sum() <= 900
        assert 20 < ink.shape[1] and 30 <= ink.shape[0] <= 90


def test_pictures_are_sorted_by_pen_and_none_is_lacking(digits: Digits) -> None:
    cells = sort_by_pen(digits.images[:600, 0].numpy(), digits.labels[:600].numpy())
    widths = [cell.width for cell in cells]
    assert widths[-1] > 1.3 * widths[0] and all(len(places) for cell in cells for places in cell.places)
    labels = digits.labels[:600].numpy()
    assert all((labels[places] == digit).all() for cell in cells for digit, places in enumerate(cell.places))


@pytest.mark.parametrize("sign", SIGNS)
def test_a_drawn_sign_has_its_place_and_its_size(sign: str) -> None:
    low_high = {  # rows from the writing line, in digit heights: highest top, lowest bottom; widest over high
        ".": (-0.35, 0.35, 9.0), ",": (-0.4, 0.6, 9.0), "-": (-1.1, 0.1, 99.0), "+": (-1.2, 0.3, 3.0),
        "/": (-1.6, 0.6, 1.0), ":": (-1.2, 0.4, 1.5), "=": (-1.0, 0.2, 9.0), "(": (-1.7, 0.7, 0.8),
        ")": (-1.7, 0.7, 0.8), "%": (-1.5, 0.4, 1.5), "x": (-1.2, 0.3, 2.0), "÷": (-1.2, 0.2, 3.0),
    }  # fmt: skip
    highest, lowest, wide = low_high[sign]
    rng = np.random.default_rng(0)
    for _ in range(30):
        strokes = draw_sign(sign, rng)
        points = np.concatenate(strokes)
        assert highest <= points[:, 1].min() and points[:, 1].max() <= lowest
        assert abs(points[:, 0].min()) < 0.1
        assert np.ptp(points[:, 0]) <= wide * max(float(np.ptp(points[:, 1])), 0.02) + 0.3
    assert len(strokes) == {"+": 2, ":": 2, "=": 2, "%": 3, "x": 2, "÷": 3}.get(sign, 1)


def test_a_bracket_bows_to_its_side_and_a_slash_leans_to_the_right() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        for sign, side in (("(", -1), (")", 1)):
            (stroke,) = draw_sign(sign, rng)
            assert side * (stroke[4, 0] - (stroke[0, 0] + stroke[-1, 0]) / 2) > 0.02
        (stroke,) = draw_sign("/", rng)
        assert stroke[stroke[:, 1].argmin(), 0] > stroke[stroke[:, 1].argmax(), 0]


# ---------------------------------------------------------------------------------- hands


def test_a_number_gives_its_parts_where_they_stand() -> None:
    item = number("1-7", "w1")
    scaled, parts = split_number(thinned(item), item.label)
    assert [character for character, _ in parts] == ["1", "-", "7"]
    box = np.concatenate(scaled)
    assert box[:, 1].min() == pytest.approx(-1) and box[:, 1].max() == pytest.approx(0)
    assert all(np.array_equal(stroke, mark[0]) for stroke, (_, mark) in zip(scaled, parts))
    dash = np.concatenate(alone(parts)[1][1])
    assert -0.6 < dash[:, 1].mean() < -0.4 and dash[:, 0].min() == pytest.approx(0)
    joined = [np.concatenate([stroke for stroke in thinned(item)])]
    assert split_number(joined, item.label)[1] == []


BAR = [[10, 2], [70, 0]]
FIVE, HAT = [[40, 5], [20, 40], [5, 80]], [[42, 5], [70, 2]]


@pytest.mark.parametrize(
    ("text", "strokes", "sizes"),
    [
        ("17", [ONE, [[20, 10], [55, 0]], [[55, 0], [40, 80]]], [1, 2]),
        ("71", [BAR, [[69, 0], [50, 80]], [[60, 5], [90, 80]]], [2, 1]),  # one column is in both
        ("51", [FIVE, [[80, 0], [80, 80]], HAT], []),  # its hat came last
        ("51", [FIVE, HAT], []),  # no digit is so flat
    ],
)
def test_a_number_is_parted_at_its_widest_gaps_where_that_is_sure(
    text: str, strokes: list[list[list[float]]], sizes: list[int]
) -> None:
    _, parts = split_number(thinned(Item(text, "w", strokes)), text)
    assert [len(glyph) for _, glyph in parts] == sizes


def test_a_real_number_is_written_anew_with_its_own_signs_and_no_mark_over_another(
    composer: Composer,
) -> None:
    rng, texts = np.random.default_rng(0), set()
    (layout,) = composer.glyphs.layouts
    for _ in range(40):
        strokes, text = composer._rewritten(layout, rng)
        texts.add(text)
        assert len(text) == 3 and text[1] == "-" and (text[0] + text[2]).isdigit()
        dash = next(stroke for stroke in strokes if len(stroke) and np.ptp(stroke[:, 1]) < 0.05)
        assert np.ptp(dash[:, 0]) == pytest.approx(np.ptp(layout[1][1][1][0][:, 0]), abs=1e-4)
        first = np.concatenate([stroke for stroke in strokes if stroke[:, 0].max() < dash[:, 0].min()])
        last = np.concatenate([stroke for stroke in strokes if stroke[:, 0].min() > dash[:, 0].max()])
        assert len(first) and len(last) and sum(map(len, strokes)) == len(first) + len(dash) + len(last)
        assert all(0.7 < np.ptp(each[:, 1]) < 1.4 for each in (first, last))
    assert len(texts) > 20


def test_where_a_digit_was_written_by_nobody_real_numbers_stay_as_they_are(digits: Digits) -> None:
    few = Glyphs()
    few.add("numbers", [number("1-7", "w1")])
    composer = Composer(digits.images[:1000, 0].numpy(), digits.labels[:1000].numpy(), few)
    rng, pen = np.random.default_rng(0), Pen(30.0, 1.0, 1.0, 0.0)
    assert {mark.symbol for _ in range(40) for mark in composer._real(pen, rng)[:1]} == {"1-7"}


def test_lines_to_fit_on_are_made_of_no_number_that_was_learnt(
    digits: Digits, glyphs: Glyphs, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    draw = Composer._real

    def watched(composer: Composer, pen: Pen, rng: np.random.Generator) -> list[Mark]:
        marks = draw(composer, pen, rng)
        used.extend(mark.symbol for mark in marks)
        return marks

    monkeypatch.setattr(Composer, "_real", watched)
    line_fit.composed_lines(digits, glyphs, 60)
    numbers = {symbol for symbol in used if len(symbol) > 1}
    assert glyphs.layouts and numbers == {"17"}


def test_labels_say_what_an_item_is(tmp_path: Path) -> None:
    drawn = number("1-7", "w1").strokes
    labels = ["7", "12/03", "+", "a", "O", "apple", "the"]
    rows = [json.dumps({"label": label, "writer": "w", "strokes": drawn}) for label in labels]
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    found = load_hands([tmp_path]).glyphs
    assert list(found.digits) == ["all.jsonl.gz w"] and list(found.digits["all.jsonl.gz w"]) == ["7"]
    assert [text for _, text in found.numbers] == ["12/03"] and len(found.signs["+"]) == 1
    assert len(found.letters) == 1 and len(found.figures) == 2 and not found.words  # O is left out
    words = Glyphs()
    words.add("words", [Item("the", "w", drawn), Item("and", "w", drawn)])
    assert len(words.words) == 2


def test_a_lone_minus_is_put_where_it_is_written() -> None:
    glyph = np.concatenate(fit_sign([np.array(DASH, np.float32)], "-"))
    assert np.ptp(glyph[:, 0]) == pytest.approx(0.5, abs=0.01) and -0.6 < glyph[:, 1].mean() < -0.4


def test_usual_forms_are_known() -> None:
    usual = "7 2026 -3.14 3,7 12/03/2024 4/10/94 (602)661-9229 8:30 1,000,000 3+4=7 ?45.00 50% 1/2".split()
    assert all(map(is_usual, usual))
    assert not any(map(is_usual, "(6021661-9229 1210312024/ 3-,7 ((1 /2 8:".split() + [""]))


# ---------------------------------------------------------------------------------- learning


@pytest.mark.usefixtures("small")
def test_a_round_holds_every_line_in_each_pass_with_its_labels(composer: Composer) -> None:
    batches = ComposedRounds(composer, 0)[0]
    texts = []
    for strips, labels in batches:
        assert strips.shape[:3] == (len(labels), 1, 32) and 0 <= strips.min() and strips.max() <= 1
        texts += ["".join(SYMBOLS[k] for k in row if k != BLANK) for row in labels]
    counts = Counter(texts)  # the last batch of a pass may hold some of its lines twice
    assert len(batches) > PASSES and len(texts) >= PASSES * lines.LINES
    assert min(counts.values()) >= PASSES
    assert len(texts) <= PASSES * (lines.LINES + max(len(labels) for _, labels in batches))


@pytest.mark.usefixtures("small")
def test_lines_composed_ahead_are_the_same_lines(composer: Composer) -> None:
    before = torch.get_rng_state()
    ahead = list(compose_ahead(composer, TWO_ROUNDS, 0))
    assert torch.equal(torch.get_rng_state(), before)  # the training's own random numbers
    for number, batches in enumerate(ahead):
        for one, other in zip(batches, ComposedRounds(composer, 0)[number], strict=True):
            assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])
    (late,) = compose_ahead(composer, TWO_ROUNDS, 1)
    assert torch.equal(late[0][0], ahead[1][0][0])


def test_groups_are_no_wider_than_a_batch_and_of_few_shapes() -> None:
    widths = np.random.default_rng(0).integers(20, 900, 500).tolist()
    groups = group_by_width(widths, np.random.default_rng(1))
    shapes = [(len(group), batch_width(wide)) for group, wide in groups]
    assert max(count * wide for count, wide in shapes) <= lines.BATCH_COLUMNS
    assert len(set(shapes)) == len({wide for _, wide in shapes})  # a width says how many there are
    known = [line for group, _ in groups for line in group]
    assert set(known) == set(range(500)) and len(known) < 500 + max(count for count, _ in shapes)
    stretched = [wide / max(widths[line] for line in group) for group, wide in groups]
    assert 0.8 < min(stretched) < 0.9 and 1.1 < max(stretched) < 1.2


def test_a_batch_is_as_wide_as_a_step_and_its_lines_end_where_they_were_stretched_to() -> None:
    strips = [(np.full((32, 40), 255, np.uint8), "1"), (np.full((32, 48), 255, np.uint8), "2")]
    batch = make_batch(strips, 50, np.random.default_rng(0))
    assert batch.shape == (2, 1, 32, batch_width(50)) == (2, 1, 32, 64)
    assert batch[1, ..., 49].min() > 0.5 and batch[0, ..., 46:].max() < 0.3 and batch[..., 50:].max() < 0.3


def test_the_loss_is_that_of_the_likeliest_paths() -> None:
    logs = torch.full((1, 6, BLANK + 1), -20.0)
    for column, symbol in enumerate([1, BLANK, 1, 2, 2, BLANK]):
        logs[0, column, symbol] = 0
    assert float(line_loss(logs, labels_of(["112"]))) == pytest.approx(0, abs=1e-3)
    assert float(line_loss(logs, labels_of(["12"]))) > 10
    assert search(logs[0].numpy(), 1)[0][0] == (1, 1, 2)
    two = line_loss(logs.repeat(2, 1, 1), labels_of(["112", "12"]))
    assert float(two) == pytest.approx(float(line_loss(logs, labels_of(["12"]))) / 2, rel=1e-3)


def test_it_learns_a_few_lines(composer: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES", 30)
    batches = ComposedRounds(composer, 0)[0]
    stage = lines._Stage(TrainConfig(arch="tiny", lines_rounds=12), CPU)
    losses = [stage.train_round(batches, lambda batch: None) for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0], losses


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_second_stage_that_was_stopped_goes_on_bit_for_bit(
    bare: Checkpoint, digits: Digits, stop_after: int
) -> None:
    few, some = digits.part(torch.arange(300)), digits.part(torch.arange(300, 500))
    whole, stopped = (replace(bare, facts={}) for _ in range(2))
    second_stage(whole, few, some, TWO_ROUNDS, device=CPU)
    asked, kept = [], []

    def ask(batch: int) -> None:
        asked.append(batch)
        if len(asked) == stop_after:
            raise Interrupted(signal.SIGINT)

    def keep(state: dict[str, Any]) -> None:
        kept.append(copy.deepcopy(state))

    with pytest.raises(Interrupted):
        second_stage(stopped, few, some, TWO_ROUNDS, device=CPU, keep=keep, ask=ask)
    assert stopped.lines is None
    second_stage(stopped, few, some, TWO_ROUNDS, device=CPU, state=kept[-1])
    assert whole.lines is not None and stopped.lines is not None
    expected, reached = whole.lines.state_dict(), stopped.lines.state_dict()
    assert all(torch.equal(expected[name], reached[name]) for name in expected)
    assert whole.facts == stopped.facts and whole.facts["lines"]["rounds"] == 2


def test_a_damaged_second_stage_is_named(bare: Checkpoint, digits: Digits) -> None:
    few = digits.part(torch.arange(100))
    with pytest.raises(ValueError, match="damaged"):
        second_stage(bare, few, few, TWO_ROUNDS, device=CPU, state={"reader": {}})


def test_the_fit_prefers_the_weight_that_reads_right(bare: Checkpoint, digits: Digits) -> None:
    bare.lines = LineReader().eval()
    recognizer = Recognizer(bare)
    logs = np.full((6, BLANK + 1), -8.0)
    logs[2, 1], logs[2, 7], logs[[0, 1, 3, 4, 5], BLANK] = -0.6, -0.7, 0
    case = pooling.Case((7,), logs, [(1,), (7,)], np.ones(2, bool), np.array([[0, -4.0, 0, 0], [0, 0, 0, 0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooling, "make_case", lambda recognizer, ink, text: case if text == "7" else None)
        found = pooling.fit(recognizer, [(np.zeros((1, 1)), "7")], [(np.zeros((1, 1)), "nowhere")])
    assert found.weights[1] > 0.5 and found.right.tolist() == [True, False]


def test_thresholds_part_digits_from_what_was_found_in_words() -> None:
    def seen(company: Company, nats: list[float], right: bool = True) -> list[line_fit.Evidence]:
        return [line_fit.Evidence(each, company, 0.9, right) for each in nats]

    right = [*seen(Company.ALONE, [7.0, 9.0]), *seen(Company.DIGITS, [2.0, 3.0])]
    beside = [*seen(Company.OTHERS, [3.0, 6.0, 8.0]), *seen(Company.OTHERS, [1.0, 4.0, 4.5], right=False)]
    facts = line_fit.find_thresholds([*right, *beside], 10)
    assert facts["line_thresholds"] == pytest.approx([7.02, 2.005, 4.5])  # no word read
    assert facts["line_thresholds"][2] > 4.5
    one = line_fit.find_thresholds([*right, *beside], 30)["line_thresholds"]
    assert one[2] == pytest.approx(4.0) and one[2] > 4  # one word read
    assert line_fit.find_thresholds([*right, *beside], 1_000)["line_thresholds"][2] == pytest.approx(3.03)
    assert facts["least_likely"] == pytest.approx(0.9)
    assert line_fit.find_thresholds(right, 10) == {}  # nothing was seen beside other marks


def test_words_of_writers_held_out_take_the_place_of_composed_ones(
    bare: Checkpoint, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[pooling.Line] = []
    monkeypatch.setattr(line_fit, "SINGLE", 10)
    monkeypatch.setattr(line_fit, "MADE", 10)
    monkeypatch.setattr(line_fit, "MIXED", 40)
    monkeypatch.setattr(line_fit, "fit", lambda *_: pooling.Fit(1.0, (0.0,) * 4, 0.0, np.ones(10, bool)))
    monkeypatch.setattr(line_fit, "evidence_of", lambda _, lines: seen.extend(lines) or [])
    made = glyphs_of_templates()
    made.add("words", [Item("on", "w1", [ONE])], [Item("no", "w2", [SEVEN, DASH]), Item("so", "w2", [])])
    assert len(made.words) == len(made.words_held_out) == 1
    bare.lines = LineReader().eval()
    for glyphs, without in ((made, len(line_fit.PENS)), (replace(made, words_held_out=[]), 20)):
        seen.clear()
        line_fit.fit_reader(bare, digits, glyphs)
        texts = [text for _, text in seen if not line_fit.has_digit(text)]
        assert len(texts) == without if glyphs is made else len(texts) >= without
        assert set(texts) == {"?"} or glyphs is not made


# ---------------------------------------------------------------------------------- one command


@pytest.mark.usefixtures("small")
def test_one_command_makes_a_complete_model_and_goes_on_in_either_stage(
    few: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--epochs", "1", "--lines-rounds", "1", "--augment", "none", "--device", "cpu", "--output"]
    assert train.main([*words, str(tmp_path / "whole.pth")]) == 0
    out = capsys.readouterr().out
    assert "whole lines read right" in out and out.count("wrote") == 1
    path, asked = tmp_path / "m.pth", iter(range(1, 1000))
    for stop in (1, 4):  # of three batches and an end of the first stage, then within the second
        with monkeypatch.context() as patch:
            patch.setattr(
                StopSignals, "received", lambda _, stop=stop: signal.SIGINT if next(asked) == stop else None
            )
            resume = ["--resume"] if path.with_name("m.resume.pth").exists() else []
            assert train.main([*words, str(path), *resume]) == 128 + signal.SIGINT
    stops = [line for line in capsys.readouterr().err.splitlines() if "stopped after" in line]
    assert "1 epoch, and" in stops[0] or "batches, and" in stops[0]
    assert "1 epoch and 0 rounds of lines" in stops[1]
    assert load_checkpoint(path).lines is None
    assert train.main([*words, str(path), "--resume"]) == 0
    whole, resumed = load_checkpoint(tmp_path / "whole.pth"), load_checkpoint(path)
    for one, other in ((whole.model, resumed.model), (whole.lines, resumed.lines)):
        assert one is not None and other is not None
        expected, reached = one.state_dict(), other.state_dict()
        assert all(torch.equal(expected[name], reached[name]) for name in expected)
    assert {"rounds", "lines", "seed", "hands", "validation_accuracy"} <= set(resumed.facts["lines"])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["m.pth", "whole.pth"]

    again = ["--start", str(path), "--epochs", "1", "--augment", "none", "--device", "cpu"]
    assert train.main([*again, "--output", str(tmp_path / "next.pth")]) == 0  # which keeps the reader
    kept = load_checkpoint(tmp_path / "next.pth")
    assert kept.lines is not None and resumed.lines is not None
    assert kept.facts["lines"] == resumed.facts["lines"]
    assert torch.equal(kept.lines.head.weight, resumed.lines.head.weight)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("far", [(), (4, 8)], ids=["of before December 2026", "of now"])
def test_a_line_reader_alone_goes_on_learning(
    far: tuple[int, ...], bare: Checkpoint, few: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, path = tmp_path / "start.pth", tmp_path / "m.pth"
    bare = replace(bare, lines=LineReader(far=far).eval())
    save_checkpoint(start, bare)
    words = ["--start", str(start), "--epochs", "0", "--lines-rounds", "1", "--device", "cpu"]
    monkeypatch.setattr(lines, "RATE", 0.0)  # so that what it begins with is what it ends with
    assert train.main([*words, "--arch", bare.arch, "--augment", "none", "--output", str(path)]) == 0
    found = load_checkpoint(path)
    assert found.lines is not None and bare.lines is not None
    assert torch.allclose(found.lines.head.weight, bare.lines.head.weight, atol=1e-6)
    assert found.lines.far  # which it had, or has got
    expected, reached = bare.model.state_dict(), found.model.state_dict()
    assert all(torch.equal(expected[name], reached[name]) for name in expected)
    assert found.facts["lines"]["rounds"] == 1 and found.facts["epochs"] == 0


def test_a_reader_that_is_fresh_begins_otherwise() -> None:
    begin = LineReader()
    config = TrainConfig(arch="tiny", lines_rounds=2)
    assert torch.equal(lines._Stage(config, CPU, begin=begin).reader.head.weight, begin.head.weight)
    assert not torch.equal(lines._Stage(config, CPU).reader.head.weight, begin.head.weight)


def test_a_reader_of_before_says_the_same_and_learns_to_look_further() -> None:
    begin, strips = LineReader(far=()).eval(), torch.rand(2, 1, 32, 96)
    stage = lines._Stage(TrainConfig(arch="tiny", lines_rounds=2), CPU, begin=begin)
    assert torch.allclose(stage.reader.eval()(strips), begin(strips), atol=0.02)
    batch = strips, torch.tensor([[1, 2], [3, BLANK]])
    stage.train_round([batch, batch], lambda _: None)
    assert all(weights.grad is not None and weights.grad.any() for weights in stage.reader.far.parameters())


def test_without_a_second_stage_there_is_no_reader(few: Digits, tmp_path: Path) -> None:
    words = ["--epochs", "1", "--lines-rounds", "0", "--augment", "none", "--device", "cpu"]
    assert train.main([*words, "--output", str(tmp_path / "m.pth")]) == 0
    assert load_checkpoint(tmp_path / "m.pth").lines is None


def test_an_unfinished_training_does_not_replace_a_complete_model(
    bare: Checkpoint, few: Digits, tmp_path: Path
) -> None:
    path, facts = tmp_path / "m.pth", {"validation_accuracy": 0.0, "data": "few"}
    save_checkpoint(path, replace(bare, lines=LineReader().eval(), facts=facts))
    run = Run(TrainConfig(arch="tiny", epochs=1, lines_rounds=1, augment="none"), few, few, CPU, "fp32")
    rounds = Rounds(run, path, {"data": "few"})
    assert rounds.is_better(complete=True) and not rounds.is_better(complete=False)
    save_checkpoint(path, replace(bare, facts=facts))
    assert rounds.is_better(complete=False)


def test_a_resume_file_from_before_the_line_reader_is_refused_or_taken(few: Digits, tmp_path: Path) -> None:
    def make(rounds: int) -> Run:
        config = TrainConfig(arch="tiny", epochs=1, lines_rounds=rounds, augment="none")
        return Run(config, few, few, CPU, "fp32")

    path = tmp_path / "m.resume.pth"
    save(make(0), path)
    content = torch.load(path, weights_only=True)
    del content["config"]["lines_rounds"]
    content["config"]["pairs_epochs"] = 12
    torch.save(content, path)
    restore(make(0), path)
    with pytest.raises(CheckpointError, match="lines_rounds was 0, is now 5"):
        restore(make(5), path)


@pytest.mark.parametrize("damage", ["shape", "missing", "kind"])
def test_a_reader_that_does_not_fit_is_refused(damage: str, bare: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pth"
    save_checkpoint(path, replace(bare, lines=LineReader().eval()))
    assert load_checkpoint(path).lines is not None
    content = torch.load(path, weights_only=True)
    if damage == "shape":
        content["lines"]["head.weight"] = content["lines"]["head.weight"][:10].clone()
    elif damage == "missing":
        del content["lines"]["head.bias"]
    else:
        content["lines"] = "weights"
    torch.save(content, path)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)

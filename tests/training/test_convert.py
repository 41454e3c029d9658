"""Converters: tiny files in the form of each origin become the sets that train.py --hands reads."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from measuring.testsets import load_samples
from training.convert import main
from training.hands.sets import read_set

PENDIGITS = """.INCLUDE dene.doc
.HIERARCHY DIGIT
.SEGMENT DIGIT 0 ? "1"
.COMMENT 1 7 22
.PEN_DOWN
 8 3
 8 13
.PEN_UP
.DT 100
.SEGMENT DIGIT 1-2 ? "4"
.COMMENT 4 12 23
.PEN_DOWN
 1 9
 1 5
 5 5
.PEN_UP
.DT 100
.PEN_DOWN
 4 9
 4 0
.PEN_UP
.DT 100
"""
UJI = """// UJI Pen Characters, version 2
WORD a trn_UJI_W12-01
  NUMSTROKES 1
  POINTS 2 # 10 20 30 60
WORD 7 tst_UJI_W40-02
  NUMSTROKES 2
  POINTS 3 # 100 100 140 100 110 180
  POINTS 2 # 105 140 135 140
"""
UNIPEN_DATA = ".COORD X Y\n.PEN_DOWN\n0 90\n0 0\n.PEN_UP\n.PEN_DOWN\n10 90\n40 90\n20 0\n.PEN_UP\n.PEN_DOWN\n10 40\n40 40\n.PEN_UP\n"
UNIPEN = '.VERSION 1.0\n.INCLUDE apb/app.doc\n.INCLUDE apb/data/one.dat\n.SEGMENT CHARACTER 0 ? "l"\n.SEGMENT CHARACTER 1-2 ? "7"\n'


def drawings(path: Path) -> list[dict]:
    return [json.loads(line) for line in gzip.open(path, "rt")]


def test_pendigits_is_turned_upright_and_knows_its_writers(tmp_path: Path) -> None:
    (tmp_path / "pendigits-orig.tra").write_text(PENDIGITS)
    assert main(["uci", str(tmp_path / "pendigits-orig.tra"), str(tmp_path / "pens.jsonl.gz")]) == 0
    one, four = drawings(tmp_path / "pens.jsonl.gz")
    assert one == {"label": "1", "writer": "w07", "strokes": [[[0, 10], [0, 0]]]}
    assert four["writer"] == "w12" and four["strokes"] == [[[0, 0], [0, 4], [4, 4]], [[3, 0], [3, 9]]]


def test_uji_gives_letters_and_digits_apart_and_chosen_writers(tmp_path: Path) -> None:
    (tmp_path / "ujipenchars2.txt").write_text(UJI)
    target = tmp_path / "digits.jsonl.gz"
    assert main(["uci", str(tmp_path / "ujipenchars2.txt"), str(target), "--labels", "digits"]) == 0
    assert drawings(target) == [
        {"label": "7", "writer": "uji2-w40", "strokes": [[[0, 0], [40, 0], [10, 80]], [[5, 40], [35, 40]]]}
    ]
    assert main(["uci", str(tmp_path / "ujipenchars2.txt"), str(target), "--writers", "uji2-w1?"]) == 0
    assert [drawing["label"] for drawing in drawings(target)] == ["a"]


@pytest.mark.parametrize("side", [16, 32])
def test_scans_become_a_test_set(side: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bits, labels = rng.integers(0, 2, (12, side, side)), rng.integers(0, 10, 12)
    text = "" if side == 16 else "comments = 1\nentwidth = 32\n\n"
    for rows, label in zip(bits, labels):
        if side == 16:
            flags = np.eye(10, dtype=int)[label]
            text += " ".join([*(f"{bit:.4f}" for bit in rows.ravel()), *map(str, flags)]) + " \n"
        else:
            text += "\n".join("".join(map(str, row)) for row in rows) + f"\n {label}\n"
    source, output = tmp_path / "public", tmp_path / "scans.npz"
    source.write_text(text, encoding="ascii")
    assert main(["uci", str(source), str(source), str(output)]) == 0
    samples = list(load_samples(output))
    assert [sample.label for sample in samples] == [str(label) for label in labels] * 2
    assert all(np.array_equal(sample.source, 255 * rows) for sample, rows in zip(samples, [*bits, *bits]))


def test_unipen_finds_its_included_strokes(tmp_path: Path) -> None:
    (tmp_path / "data" / "1a" / "apb").mkdir(parents=True)
    (tmp_path / "data" / "1a" / "apb" / "one.dat").write_text(UNIPEN)
    target = tmp_path / "unipen.jsonl.gz"
    command = ["unipen", str(tmp_path / "data"), str(target), "--labels", "digits"]
    assert main(command) == 1 and not target.exists()  # the strokes are elsewhere
    (tmp_path / "include" / "apb" / "data").mkdir(parents=True)
    (tmp_path / "include" / "apb" / "data" / "one.dat").write_text(UNIPEN_DATA)
    assert main(command) == 0
    (seven,) = drawings(target)
    assert seven["writer"] == "1a-apb" and seven["strokes"] == [
        [[0, 0], [30, 0], [10, 90]],
        [[0, 50], [30, 50]],
    ]


def test_unipen_counts_moves_with_the_pen_up_and_parts_of_strokes(tmp_path: Path) -> None:
    moved = UNIPEN_DATA.replace(".PEN_UP\n.PEN_DOWN\n10 90", ".PEN_UP\n5 50\n.PEN_DOWN\n10 90", 1)
    segments = '.SEGMENT CHARACTER 2-3 ? "7"\n.SEGMENT CHARACTER 2:1-2:2 ? "1"\n'
    (tmp_path / "one.dat").write_text(moved + segments)
    assert main(["unipen", str(tmp_path), str(tmp_path / "set.jsonl.gz")]) == 0
    seven, one = drawings(tmp_path / "set.jsonl.gz")
    assert len(seven["strokes"]) == 2 and one["strokes"] == [[[20, 0], [0, 90]]]


@pytest.mark.parametrize("timed", [True, False])
def test_quickdraw_with_and_without_times(tmp_path: Path, timed: bool) -> None:
    stroke = [[5, 15.4], [7, 7], [0, 90]] if timed else [[5, 15.4], [7, 7]]
    line = json.dumps({"word": "line", "key_id": "42", "recognized": True, "drawing": [stroke]})
    (tmp_path / "line.ndjson").write_text(f"{line}\n{line}\n{line}\n")
    target = tmp_path / "doodles.jsonl.gz"
    assert main(["quickdraw", str(tmp_path / "line.ndjson"), str(target), "--most", "2"]) == 0
    assert drawings(target) == [{"label": "line", "writer": "42", "strokes": [[[0, 0], [10, 0]]]}] * 2


def test_omniglot_names_alphabet_character_and_writer(tmp_path: Path) -> None:
    folder = tmp_path / "Greek" / "character03"
    folder.mkdir(parents=True)
    (folder / "0394_17.txt").write_text("START\n10,-5,0\n10,-45,20\nBREAK\n30,-5,900\nBREAK\n")
    assert main(["omniglot", str(tmp_path), str(tmp_path / "set.jsonl.gz")]) == 0
    expected = {"label": "Greek/03", "writer": "omni-Greek-17", "strokes": [[[0, 0], [0, 40]], [[20, 0]]]}
    assert drawings(tmp_path / "set.jsonl.gz") == [expected]


def test_what_is_converted_can_be_learnt_from_and_is_always_alike(tmp_path: Path) -> None:
    (tmp_path / "pendigits-orig.tra").write_text(PENDIGITS)
    for name in ("one.jsonl.gz", "other.jsonl.gz"):
        main(["uci", str(tmp_path / "pendigits-orig.tra"), str(tmp_path / name)])
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "other.jsonl.gz").read_bytes()
    assert [item.digit for item in read_set(tmp_path / "one.jsonl.gz")] == [1, 4]


@pytest.mark.parametrize(
    "origin, content, target, said",
    [
        ("uci", "1 2 3\n", "set.npz", "unpack it first"),
        ("uci", "\x1f\x9d\x90packed", "set.npz", "unpack it first"),
        ("quickdraw", '{"word": "cat"}\n', "set.jsonl.gz", "line 1"),
        ("quickdraw", "", "set.jsonl.gz", "no drawing"),
        (
            "unipen",
            '.PEN_DOWN\n1 x\n.PEN_UP\n.SEGMENT DIGIT 0 ? "1"\n',
            "set.jsonl.gz",
            "a point that is none",
        ),
        ("uci", PENDIGITS, "set.npz", "go into a .jsonl.gz"),
    ],
)
def test_other_forms_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], origin: str, content: str, target: str, said: str
) -> None:
    (tmp_path / "source.txt").write_text(content)
    assert main([origin, str(tmp_path / "source.txt"), str(tmp_path / target)]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / target).exists()

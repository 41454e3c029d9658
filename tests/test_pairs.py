"""Two digits that touch: pictures made for training, the head that reads them, and the road that asks it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import SEVEN, THREE
from scipy import ndimage

import train
from base.checkpoint import (
    MODEL_PATH,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    predict_pairs,
    save_checkpoint,
)
from benchmarks.pictures import number
from corrections.memory import Memory
from dataset import Digits
from ink.frame import make_frame
from ink.lines import find_lines
from ink.raster import draw_strokes
from model import build_model, build_pairs
from recognizer.asking import certainty
from recognizer.grouping import CERTAIN_INSTEAD, CERTAIN_PAIR, SURE, SURE_OF_PAIRS, Grouping
from recognizer.judge import Guess, walk
from recognizer.road import Recognizer
from training import pairs

EIGHT = np.ones((3, 3), int)


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return load_checkpoint(MODEL_PATH)


@pytest.fixture(scope="module")
def written(digits: Digits) -> list[tuple[np.ndarray, str]]:
    """Sixty pairs of touching digits, dark on light, and what they say."""
    rng = np.random.default_rng(2)
    places = rng.integers(0, len(digits), (60, 2)).tolist()
    labels = ["".join(str(int(digits.labels[n])) for n in pair) for pair in places]
    return [
        (number([digits.images[n, 0].numpy() for n in pair], rng, touching=True), label)
        for pair, label in zip(places, labels)
    ]


def test_a_made_pair_is_one_patch_of_ink_fitted_like_a_digit(digits: Digits) -> None:
    ink = digits.images[:200].float() / 255
    made = pairs.touch(ink, ink.flip(0), torch.Generator().manual_seed(0))[:, 0].numpy()
    one = [ndimage.label(picture > 0.25, EIGHT)[1] == 1 for picture in made]
    whole = [ndimage.label(picture > 0.25, EIGHT)[1] == 1 for picture in ink[:, 0].numpy()]
    assert np.mean(one) >= 0.85 * np.mean(whole) ** 2
    marks = made > 0.25
    sides = [max(np.ptp(np.nonzero(mark.any(axis=axis))[0]) + 1 for axis in (0, 1)) for mark in marks]
    assert 18 <= np.mean(sides) <= 21


def test_a_pair_shows_the_left_digit_left(digits: Digits) -> None:
    ink = digits.images[:50].float() / 255
    generator = torch.Generator().manual_seed(0)
    both = pairs.touch(ink, ink.flip(0), generator)
    generator.manual_seed(0)
    half = pairs.touch(ink, ink.flip(0) * 0.5, generator)  # still above what counts where they meet
    dimmed = (both - half).clamp(min=0)[:, 0].sum(1)  # (N, 28) columns in which the right digit's ink was
    columns = torch.arange(28.0)
    centre = (dimmed * columns).sum(1) / dimmed.sum(1)
    middle = (both[:, 0].sum(1) * columns).sum(1) / both[:, 0].sum((1, 2))
    assert (centre > middle).float().mean() >= 0.9


def test_a_batch_holds_pairs_and_pictures_without_one(digits: Digits) -> None:
    pictures, truth = pairs.make_batch(
        digits.images[:100], digits.labels[:100], torch.Generator().manual_seed(0)
    )
    assert (
        pictures.shape == (100, 1, 28, 28)
        and 0 <= pictures.min()
        and pictures.max() <= 1
        and pictures.isfinite().all()
    )
    assert (truth[:64] >= 0).all() and (truth[64:] == -1).all()
    assert torch.equal(truth[:64, 0], digits.labels[36:100])  # the left ones, in order


def test_teaching_leaves_the_network_as_it_was(
    shipped: Checkpoint, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "WARM_UP", 5)  # steps; these are few
    fresh = replace(shipped, pairs=None, facts=dict(shipped.facts))
    before = {name: weight.clone() for name, weight in fresh.model.state_dict().items()}
    pairs.teach_pairs(fresh, digits.part(torch.arange(3_000)), 2, 0, torch.device("cpu"))
    after = fresh.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before) and not fresh.model.training
    some = digits.part(torch.arange(400))
    assert pairs.measure_pairs(fresh, some, torch.device("cpu")) >= 0.1  # by chance 0.01


def test_the_shipped_reader_reads_pairs_and_doubts_single_digits(shipped: Checkpoint, digits: Digits) -> None:
    some = digits.part(torch.arange(400))
    assert pairs.measure_pairs(shipped, some, torch.device("cpu")) >= 0.65  # of pairs bent as for training
    frames = digits.images[:, 0].numpy() / np.float32(255)
    certain = certainty(predict_pairs(shipped, torch.from_numpy(frames)[:, None]).numpy()).min(axis=1)
    confidence = Recognizer(shipped).ask(frames).max(axis=1)
    assert (certain >= CERTAIN_PAIR).mean() <= 0.03
    assert ((certain >= CERTAIN_PAIR) & (confidence < SURE)).mean() <= 0.002  # of the others more is asked
    assert ((certain >= CERTAIN_INSTEAD) & (confidence < SURE_OF_PAIRS)).mean() <= 0.002


def test_touching_digits_are_read_more_often_with_it(
    shipped: Checkpoint, written: list[tuple[np.ndarray, str]]
) -> None:
    right = []
    for there in (shipped, replace(shipped, pairs=None)):
        readings = Recognizer(there).read_many([picture for picture, _ in written])
        right.append(np.mean([reading.text == label for reading, (_, label) in zip(readings, written)]))  # type: ignore[union-attr]
    assert right[0] >= 0.75 and right[0] >= right[1] + 0.05, right


def test_it_is_asked_of_fairly_sure_digits_too(
    shipped: Checkpoint, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    places = rng.integers(0, len(digits), (200, 3)).tolist()
    labels = ["".join(str(int(digits.labels[n])) for n in three) for three in places]
    lines = [number([digits.images[n, 0].numpy() for n in three], rng, touching=True) for three in places]
    recognizer, right = Recognizer(shipped), []
    for limit in (SURE_OF_PAIRS, SURE):
        monkeypatch.setattr("recognizer.grouping.SURE_OF_PAIRS", limit)
        right.append(
            sum(reading.text == label for reading, label in zip(recognizer.read_many(lines), labels))
        )
    assert right[0] > right[1], right


def test_in_a_line_what_reads_as_one_digit_is_two_only_if_read_as_a_pair(shipped: Checkpoint) -> None:
    three = [[x + 54, y] for x, y in THREE[0]]
    ((piece,),) = find_lines(1 - draw_strokes([*SEVEN, three], 12, 300) / np.float32(255))
    recognizer, frame, six = Recognizer(shipped), make_frame(piece.ink), np.full(10, 0.05, np.float32)
    six[6] = 0.55
    (pair,) = recognizer.judge.ask_pairs([frame])
    assert pair is not None and pair.argmax(axis=1).tolist() == [7, 3]

    def count(doubt: float, pair: np.ndarray) -> int:
        return len(
            walk(
                recognizer.grouping._cut(Guess(piece, frame, six, doubt), pair, piece.width, False),
                recognizer.classify,
            )
        )

    assert (count(0, pair), count(0, np.full((2, 10), 0.1)), count(1, np.full((2, 10), 0.1))) == (2, 1, 2)


def test_what_was_one_piece_is_not_joined_again(
    shipped: Checkpoint, written: list[tuple[np.ndarray, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*asked: object) -> None:
        raise AssertionError(asked)

    recognizer = Recognizer(shipped)
    monkeypatch.setattr(Grouping, "_as_one", no)
    connected = [picture for picture, _ in written if len(find_lines(1 - picture / np.float32(255))[0]) == 1]
    assert (
        sum(len(reading.groups) == 2 for reading in recognizer.read_many(connected))
        >= 0.5 * len(connected)
        > 20
    )


def test_both_digits_have_a_box_of_their_own(
    shipped: Checkpoint, written: list[tuple[np.ndarray, str]]
) -> None:
    recognizer = Recognizer(shipped)
    readings = [recognizer.read(picture) for picture, _ in written]
    for reading in (reading for reading in readings if len(reading.groups) == 2):
        left, right = (group.box for group in reading.groups)
        assert left[0] < right[0] and left[0] + left[2] < right[0] + right[2]


def test_a_corrected_half_of_a_pair_is_right_at_once_and_undone(
    shipped: Checkpoint, written: list[tuple[np.ndarray, str]], tmp_path: Path
) -> None:
    memory = Memory(tmp_path)
    recognizer, corrected = Recognizer(shipped, memory=memory), 0
    for picture, _ in written[:25]:
        before = recognizer.read(picture)
        if len(before.text) != 2 or "?" in before.text:
            continue
        other = str((int(before.text[0]) + 3) % 10)
        memory.learn(before.groups[0].frame, other)
        assert recognizer.read(picture).text == other + before.text[1]
        memory.undo()
        assert recognizer.read(picture) == before
        corrected += 1
    assert corrected >= 10


def test_a_half_that_the_user_called_a_one_stays_one_beside_a_one(
    shipped: Checkpoint, digits: Digits, tmp_path: Path
) -> None:
    rng, memory, right = np.random.default_rng(0), Memory(tmp_path), []
    recognizer = Recognizer(shipped, memory=memory)
    others, ones = (torch.nonzero((digits.labels == 1) == one)[:60, 0].tolist() for one in (False, True))
    for pair in zip(others, ones):
        picture = number([digits.images[index, 0].numpy() for index in pair], rng, touching=True)
        before = recognizer.read(picture)
        if (
            len(before.text) == 2
            and before.text[1] == "1" != before.text[0]
            and before.groups[1].confidence >= SURE
        ):
            memory.learn(before.groups[0].frame, "1")
            right.append(recognizer.read(picture).text)  # however uncertain the reader of pairs is
            memory.undo()
    assert (
        set(right) <= {"11", "1"} and right.count("11") >= 20
    )  # "1": where all of it is so like its half that it is the same again


def test_ink_that_the_user_called_one_digit_is_not_parted(
    shipped: Checkpoint, written: list[tuple[np.ndarray, str]], tmp_path: Path
) -> None:
    memory, whole = Memory(tmp_path), Recognizer(replace(shipped, pairs=None))
    recognizer, kept = Recognizer(shipped, memory=memory), 0
    for picture, _ in written:
        alone = whole.read(picture)
        if len(alone.groups) != 1 or len(recognizer.read(picture).text) != 2:
            continue
        memory.learn(alone.groups[0].frame, "8")
        assert len(recognizer.read(picture).groups) == 1
        memory.undo()
        kept += 1
    assert kept >= 3


def test_a_reader_pools_as_torch_does(shipped: Checkpoint) -> None:
    head, features = shipped.pairs, torch.rand(20, 64, 14, 14)
    assert head is not None
    pooled = F.adaptive_max_pool2d(head.body[:-1](features), (4, 7))
    assert torch.equal(head(features), head.head(pooled.flatten(1)).unflatten(1, (2, -1)))


def test_a_checkpoint_keeps_its_reader_and_does_without(
    shipped: Checkpoint, digits: Digits, tmp_path: Path
) -> None:
    images = digits.images[:20].float() / 255
    save_checkpoint(tmp_path / "with.pth", shipped)
    torch.testing.assert_close(
        predict_pairs(load_checkpoint(tmp_path / "with.pth"), images), predict_pairs(shipped, images)
    )
    save_checkpoint(tmp_path / "without.pth", replace(shipped, pairs=None))
    bare = load_checkpoint(tmp_path / "without.pth")
    assert bare.pairs is None
    with pytest.raises(ValueError, match="pairs.py"):
        predict_pairs(bare, images)


@pytest.mark.parametrize("damage", ["shape", "missing", "kind", "arch"])
def test_a_reader_that_does_not_fit_is_refused(damage: str, shipped: Checkpoint, tmp_path: Path) -> None:
    path = tmp_path / "damaged.pth"
    save_checkpoint(path, shipped)
    content = torch.load(path, weights_only=True)
    if damage == "shape":
        content["pairs"]["head.weight"] = content["pairs"]["head.weight"][:10].clone()
    elif damage == "missing":
        del content["pairs"]["head.bias"]
    elif damage == "kind":
        content["pairs"] = "weights"
    else:
        tiny = build_model("tiny")
        content.update(arch="tiny", config={"width": 12}, weights=tiny.state_dict())
    torch.save(content, path)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


def test_only_the_residual_network_has_a_reader() -> None:
    assert sum(weight.numel() for weight in build_pairs(build_model()).parameters()) == 45_716
    with pytest.raises(ValueError, match="residual"):
        build_pairs(build_model("tiny"))


def test_the_command_names_what_is_wrong_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tiny.pth"
    save_checkpoint(path, Checkpoint(build_model("tiny").eval(), "tiny", {"width": 12}))
    before = path.read_bytes()
    assert pairs.main(["--model", str(path), "--data-dir", str(tmp_path)]) == 1
    assert path.read_bytes() == before and capsys.readouterr().err.startswith("pairs.py: ")
    assert pairs.main(["--model", str(tmp_path / "none.pth")]) == 1
    assert "train.py" in capsys.readouterr().err


def test_the_command_adds_a_reader_and_keeps_the_one_it_replaces(
    shipped: Checkpoint,
    digits: Digits,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "my.pth"
    save_checkpoint(path, replace(shipped, pairs=None, facts={**shipped.facts, "run": "a training"}))
    monkeypatch.setattr(pairs, "load_mnist", lambda *arguments: digits)
    monkeypatch.setattr(
        pairs, "split_validation", lambda all: (all.part(torch.arange(500)), all.part(torch.arange(100)))
    )
    words = ["--model", str(path), "--epochs", "1", "--device", "cpu"]
    assert pairs.main(words) == 0 and not (tmp_path / "backups").exists()
    first, taught = path.read_bytes(), load_checkpoint(path)
    assert taught.pairs is not None and taught.facts["pairs"]["epochs"] == 1
    assert pairs.main([*words, "--seed", "1"]) == 0
    (backup,) = (tmp_path / "backups").iterdir()
    assert backup.read_bytes() == first != path.read_bytes() and str(backup) in capsys.readouterr().out
    train.protect(path, "a training")  # which goes on
    assert len(list((tmp_path / "backups").iterdir())) == 2
    assert pairs.main(["--model", str(path), "--output", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err

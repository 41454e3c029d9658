"""Other people's hands: what teaches what, drawn anew, held out by writer, learnt beside MNIST."""

import gzip
import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from base.checkpoint import CheckpointError
from dataset import DataError, Digits
from ink.frame import make_frame
from ink.measures import pen_width
from ink.raster import draw_strokes
from training.hands import load_hands, pools
from training.hands.sets import read_set
from training.loop import make_transform
from training.pictures.augment import CALM, NOT_A_DIGIT
from training.pictures.redraw import draw_again, trace_drawings
from training.recipe import TrainConfig
from training.resume import restore, save
from training.run import Run
from training.team import Interrupted

SEVEN = [[[0, 0], [40, 0], [15, 80]]]
CROSS = [[[0, 0], [60, 60]], [[60, 0], [0, 60]]]
RING = [[[round(50 + 40 * np.cos(t)), round(50 + 50 * np.sin(t))] for t in np.linspace(0, 2 * np.pi, 40)]]


def write(path: Path, drawings: list[tuple[str, str, list]]) -> Path:
    lines = [
        json.dumps({"label": label, "writer": writer, "strokes": strokes})
        for label, writer, strokes in drawings
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sevens and crosses of thirty writers each, and rings that are called letters."""
    for name, label, strokes in (("digits", "7", SEVEN), ("letters", "x", CROSS)):
        write(
            tmp_path / f"{name}.jsonl.gz",
            [(label, f"w{n}", strokes) for n in range(30)] + [("O", "w99", RING)] * 3,
        )
    np.savez(
        tmp_path / "scans.npz",
        x=np.pad(np.full((5, 20, 4), 255, np.uint8), ((0, 0), (4, 4), (12, 12))),
        y=np.full(5, "1"),
    )
    return tmp_path


def test_digits_teach_digits_and_all_else_none_but_what_looks_like_one(folder: Path) -> None:
    found = {line["name"]: line for line in load_hands([folder]).sets}
    assert found["scans.npz"]["digits"] == 5 and found["scans.npz"]["others"] == 0
    assert found["digits.jsonl.gz"]["left_out"] == found["letters.jsonl.gz"]["left_out"] == 3  # the rings
    assert found["letters.jsonl.gz"]["digits"] == 0 and found["letters.jsonl.gz"]["others"] > 20
    assert found["digits.jsonl.gz"]["checksum"] != found["letters.jsonl.gz"]["checksum"]


def test_a_writer_is_on_one_side_whatever_else_there_is(folder: Path) -> None:
    both, one = load_hands([folder]), load_hands([folder / "digits.jsonl.gz", folder / "letters.jsonl.gz"])
    for line, again in zip(both.sets, one.sets):
        assert line == again and 0 < line["validation"] < 10
    sevens = int((both.held_out_digits.labels == 7).sum())
    assert (
        sevens == both.sets[0]["validation"] * pools.VALIDATION_COPIES and len(both.held_out_digits) == sevens
    )
    assert torch.equal(both.validation[0], one.validation[0])  # drawn once, always alike


def test_a_batch_is_reproducible_in_range_and_shared_out(folder: Path) -> None:
    loaded = load_hands([folder])
    images, labels = loaded.batch(400, CALM, Generator().manual_seed(3))
    again, _ = loaded.batch(400, CALM, Generator().manual_seed(3))
    other, _ = loaded.batch(400, CALM, Generator().manual_seed(4))
    assert torch.equal(images, again) and not torch.equal(images, other)
    assert images.shape[1:] == (1, 28, 28) and 0 <= float(images.min()) and float(images.max()) <= 1
    counts = {label: int((labels == label).sum()) for label in (1, 7, NOT_A_DIGIT)}
    assert counts[NOT_A_DIGIT] == round(400 * pools.OTHER_SHARE) and counts[1] + counts[7] == round(
        400 * pools.DIGIT_SHARE
    )
    assert 1.5 < counts[7] / counts[1] < 3.5  # five scans against some 27 drawings: the root of their sizes


def test_strokes_are_drawn_as_the_road_frames_them() -> None:
    """Drawn plainly, a path is nearly the frame that the road makes of a drawing on the canvas."""
    generator = Generator().manual_seed(0)
    for strokes in (SEVEN, CROSS, RING):
        many = draw_again(trace_drawings([strokes] * 400, 96), generator)[:, 0].numpy()
        frames = np.stack(
            [make_frame(1 - draw_strokes(strokes, brush) / np.float32(255)) for brush in (8, 16, 30)]
        )
        distance = np.abs(many[:, None] - frames[None]).mean(axis=(2, 3)).min(axis=0)
        assert (distance < 0.07).all()  # each of the road's has its like among them
        widths = [pen_width(each) for each in many]
        assert 1 < np.quantile(widths, 0.1) < 2.4 and 3 < np.quantile(widths, 0.95) < 6.5


def test_a_path_keeps_to_its_strokes() -> None:
    traced = trace_drawings([CROSS], 40)
    assert traced.points.shape == (1, 40, 2) and float(traced.points.abs().max()) <= 0.5
    jumps = (traced.first[0].diff() != 0).nonzero()[:, 0].tolist()
    assert jumps == [19]  # two strokes of equal length, the second from point 20 on
    frames = draw_again(
        trace_drawings([[[[3, 3]]]] * 4, 40), Generator().manual_seed(0)
    )  # a dot is a drawing, too
    assert torch.isfinite(frames).all() and float(frames.amax((1, 2, 3)).min()) > 0.3


def test_drawings_without_points_are_refused() -> None:
    for strokes in ([], [[]], [[[float("nan"), 0]]]):
        with pytest.raises(ValueError, match="finite"):
            trace_drawings([strokes], 40)


@pytest.mark.parametrize(
    "name, content",
    [("a.jsonl.gz", b"no gzip"), ("a.jsonl", b'{"label": 3}'), ("a.jsonl", b"[1]"), ("a.npz", b"PK")],
)
def test_damaged_sets_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        list(read_set(tmp_path / name))


def test_what_is_missing_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match="docs/data.md"):
        load_hands([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="what is no digit are needed"):
        load_hands([folder / "digits.jsonl.gz"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no"):
        load_hands([tmp_path / "empty"])


def test_hands_are_not_doubled_by_the_digits_drawn_from_templates(folder: Path) -> None:
    """Of hands, no share of the batch is replaced: their own labels are all there."""
    loaded = load_hands([folder])
    strong = replace(CALM, drawn_share=0.5, negative_share=0.5)
    _, labels = loaded.batch(200, strong, Generator().manual_seed(0))
    assert set(labels.tolist()) == {1, 7, NOT_A_DIGIT}


def test_a_run_learns_hands_beside_mnist_and_resumes_bit_for_bit(
    folder: Path, digits: Digits, tmp_path: Path
) -> None:
    def start(paths: list[Path], stop: Callable[[], int | None] = lambda: None) -> Run:
        config = TrainConfig(arch="tiny", epochs=1, batch_size=100)
        parts = [digits.part(torch.arange(300)), digits.part(torch.arange(300, 400))]
        return Run(config, *parts, torch.device("cpu"), "fp32", stop, hands=load_hands(paths))

    whole = start([folder])
    whole.train_epoch()
    asked = iter([None, signal.SIGINT])
    stopped = start([folder], lambda: next(asked))
    with pytest.raises(Interrupted):
        stopped.train_epoch()
    save(stopped, tmp_path / "resume.pth")
    resumed = start([folder])
    restore(resumed, tmp_path / "resume.pth")
    resumed.train_epoch()
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name
    assert len(whole.calibration_sets) == 2 and whole.checkpoint({}).threshold >= 0
    write(folder / "more.jsonl.gz", [("8", "w1", RING)])
    with pytest.raises(CheckpointError, match="data was"):
        restore(start([folder]), tmp_path / "resume.pth")


def test_hands_belong_to_digits_fully_augmented(folder: Path, digits: Digits) -> None:
    with pytest.raises(ValueError, match="beside MNIST"):
        make_transform("light", Generator(), hands=load_hands([folder]))
    with pytest.raises(ValueError, match="beside MNIST"):
        make_transform("full", Generator(), digits=False, hands=load_hands([folder]))

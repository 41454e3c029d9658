"""The second stage of a training: the line reader learns to read whole lines of writing, by CTC (Graves et al., 2006).

Lines are composed of the training digits and of other people's hands, anew for each round, from the seed and the
round's number: nothing of them is kept. The classifier stays as it is. At the end the numbers are fitted that pool
both (training.line_fit).

`has_second_stage` and `second_stage` are all that the rest of a training knows of this.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from base.checkpoint import Checkpoint, fill, shapes_of
from dataset import Digits
from model import BLANK, DIGITS, SYMBOLS, LineReader
from recognizer.many import count_cores
from training.hands import Hands
from training.hands.glyphs import glyphs_of_templates
from training.line_fit import fit_reader
from training.loop import Tracker, WeightAverage, one_cycle, set_rate, train
from training.pictures.lines import Composer
from training.recipe import LINES, RETRAIN_RATE, TrainConfig
from training.reports import SILENT, Reports
from training.resume import load_optimizer
from training.team import Interrupted

BATCH_COLUMNS = 4_096  # pixels; a batch is as many lines of like width as fill this
WIDTH_STEP = 32  # pixels; batches are as wide as a multiple of it: for each new shape a network's library makes its kernels anew
STRETCH = (0.85, 1.15)  # least and greatest width of a line, in its own
RATE = 3e-3  # peak of the one-cycle schedule
WEIGHT_DECAY = 0.02
AVERAGE = 0.998  # decay a step of the running mean of the weights
PASSES = 2  # over the lines of a round, each with other batches and other wear; composing costs as much as learning
TOLD_EVERY = 20  # rounds
STEEPEST = 10.0  # norm of a step's gradient; a steeper one is cut to it

Line = tuple[np.ndarray, str]  # a strip uint8 (32, W) and its text
Batch = tuple[Tensor, Tensor]


def has_second_stage(config: TrainConfig, digits: Digits) -> bool:
    """Return whether a training on `digits` goes on with lines of them."""
    return (
        config.lines_rounds > 0
        and digits.classes == DIGITS
        and digits.road
        and len(digits.labels.unique()) == len(DIGITS)
    )


def second_stage(
    checkpoint: Checkpoint,
    digits: Digits,
    validation: Digits,
    config: TrainConfig,
    *,
    device: torch.device,
    precision: str = "fp32",
    state: dict[str, Any] | None = None,
    keep: Callable[[dict[str, Any]], None] = lambda state: None,
    ask: Callable[[int], None] = lambda batch: None,
    reports: Reports = SILENT,
    hands: Hands | None = None,
    begin: Any = None,
) -> None:
    """Give `checkpoint` a line reader, trained on lines of `digits` and `hands`, fitted on others held out.

    It begins with fresh weights, or those of the line reader `begin`, which may be one of before December 2026. `state` is
    what `keep` was last given, to go on from there bit for bit. `keep` is called after each round, and before Interrupted
    is let through, which `ask` may raise between batches. Raises ValueError for a `state` that does not fit.
    """
    glyphs = glyphs_of_templates() if hands is None else hands.glyphs
    composer = Composer(digits.images[:, 0].numpy(), digits.labels.numpy(), glyphs)
    stage = _Stage(config, device, precision, begin)
    if state is not None:
        stage.restore(state)
    composed = compose_ahead(composer, config, stage.round)
    with reports.watch(composed, "lines", config.lines_rounds, stage.round) as rounds:
        for batches in rounds:
            try:
                loss = stage.train_round(batches, ask)
            except Interrupted:
                keep(stage.state())
                raise
            keep(stage.state())
            if stage.round % TOLD_EVERY == 0:
                reports.say(f"lines: round {stage.round} of {config.lines_rounds}, loss {loss:.3f}")
            ask(0)
    checkpoint.lines = fill(LineReader, stage.mean.weights)
    checkpoint.facts["lines"] = {
        "rounds": config.lines_rounds,
        "lines": config.lines_rounds * LINES,
        "seed": config.seed,
        "hands": "none" if hands is None else hands.fingerprint,
        "numbers": len(glyphs.numbers),
        **fit_reader(checkpoint, validation, glyphs, reports),
    }


class _Stage:
    """The line reader in training, and what its next batch depends on."""

    def __init__(
        self, config: TrainConfig, device: torch.device, precision: str = "fp32", begin: Any = None
    ) -> None:
        self.config, self.device, self.precision = config, device, precision
        self.rate = RATE if begin is None else RATE * RETRAIN_RATE
        with torch.random.fork_rng(devices=[]):  # the classifier's next round must not notice
            torch.manual_seed(config.seed)
            self.reader = LineReader()
        if begin is not None:
            _take_over(self.reader, begin)
        self.reader.to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.reader.parameters(), self.rate, weight_decay=WEIGHT_DECAY)
        self.optimizer.register_step_pre_hook(self._cut_gradient)
        self.mean = WeightAverage(self.reader, AVERAGE)
        self.round = self.batch = 0

    def _cut_gradient(self, *_: object) -> None:
        torch.nn.utils.clip_grad_norm_(self.reader.parameters(), STEEPEST)

    def train_round(self, batches: Sequence[Batch], ask: Callable[[int], None]) -> float:
        """Train on what is left of the present round's `batches`; return the mean loss a line; may raise Interrupted."""
        tracker = LossTracker(self.device)

        def before_step() -> None:
            done = (self.round + self.batch / len(batches)) / self.config.lines_rounds
            set_rate(self.optimizer, self.rate * one_cycle(done))

        def after_step() -> None:
            self.mean.update(self.reader)
            self.batch += 1
            if self.batch < len(batches):
                ask(self.batch)

        train(
            self.reader,
            batches[self.batch :],
            self.device,
            self.optimizer,
            loss_of=line_loss,
            precision=self.precision,
            before_step=before_step,
            after_step=after_step,
            tracker=tracker,
        )
        self.round, self.batch = self.round + 1, 0
        return tracker.compute()[0]

    def state(self) -> dict[str, Any]:
        """Return what `restore` takes: plain types and tensors."""
        return {
            "reader": self.reader.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "mean": self.mean.weights,
            "mean_steps": self.mean.steps,
            "round": self.round,
            "batch": self.batch,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned; raises ValueError if that is damaged."""
        try:
            if shapes_of(state["mean"]) != shapes_of(self.mean.weights):
                raise ValueError("means of other weights")
            self.reader.load_state_dict(state["reader"])
            load_optimizer(self.optimizer, state["optimizer"])
            self.mean.weights = {name: weight.to(self.device) for name, weight in state["mean"].items()}
            self.mean.steps = int(state["mean_steps"])
            self.round, self.batch = int(state["round"]), int(state["batch"])
        except (LookupError, TypeError, RuntimeError, AttributeError, ValueError) as error:
            raise ValueError("the resume file is damaged: start afresh without --resume") from error


def _take_over(reader: LineReader, begin: torch.nn.Module) -> None:
    """Give `reader` the weights of `begin`; what one of before December 2026 lacks adds next to nothing at first."""
    if reader.load_state_dict(begin.state_dict(), strict=False).missing_keys:
        norm = reader.far[-2]
        assert isinstance(norm, torch.nn.BatchNorm2d)
        torch.nn.init.zeros_(norm.weight)
        torch.nn.init.constant_(norm.bias, 1e-3)  # above 0, where ReLU has a gradient


class ComposedRounds(Dataset[list[Batch]]):
    """Rounds of composed lines: the batches of number n, strips float32 (N, 1, 32, W) and labels (N, L)."""

    def __init__(self, composer: Composer, seed: int) -> None:
        self.composer, self.seed = composer, seed

    def __getitem__(self, number: int) -> list[Batch]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
        lines = [self.composer.compose(rng) for _ in range(LINES)]
        batches = []
        for _ in range(PASSES):
            for group, wide in group_by_width([pixels.shape[1] for pixels, _ in lines], rng):
                own = [lines[place] for place in group]
                batches.append((make_batch(own, wide, rng), labels_of([text for _, text in own])))
        return batches


def compose_ahead(composer: Composer, config: TrainConfig, first: int) -> Iterable[list[Batch]]:
    """Return the rounds from `first` on; a second core, where there is one, composes the next while one is learnt."""
    numbers = range(first, config.lines_rounds)
    aside = len(numbers) > 1 and count_cores() > 1 and "fork" in multiprocessing.get_all_start_methods()
    return DataLoader(
        ComposedRounds(composer, config.seed),
        batch_size=None,
        sampler=numbers,
        num_workers=int(aside),
        multiprocessing_context="fork" if aside else None,
        worker_init_fn=_leave_signals,
        generator=torch.Generator(),  # not the training's own random numbers
    )


def _leave_signals(_: int) -> None:
    """Let the training alone answer Ctrl-C: it ends its helper itself."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)


def group_by_width(widths: Sequence[int], rng: np.random.Generator) -> list[tuple[list[int], int]]:
    """Return lines by number in groups of like width, each with the width to which it is stretched, in random order.

    How many are in a group depends on how wide its batch is alone, so that few shapes of batches occur; the last may hold some
    twice.
    """
    groups: list[tuple[list[int], int]] = []
    rest = np.argsort(-np.array(widths) * rng.uniform(0.9, 1.1, len(widths))).tolist()
    while rest:
        stretch = rng.uniform(*STRETCH)
        likely = max(1, BATCH_COLUMNS // batch_width(round(widths[rest[0]] * stretch)))
        wide = round(max(widths[line] for line in rest[:likely]) * stretch)
        count = max(1, BATCH_COLUMNS // batch_width(wide))
        groups.append((np.resize(rest[:count], count).tolist(), wide))
        rest = rest[count:]
    return [groups[place] for place in rng.permutation(len(groups))]


def batch_width(width: int) -> int:
    """Return how wide a batch of lines of `width` pixels is."""
    return math.ceil(width / WIDTH_STEP) * WIDTH_STEP


def make_batch(lines: Sequence[Line], wide: int, rng: np.random.Generator) -> Tensor:
    """Return strips float32 (N, 1, 32, batch_width(wide)) in [0, 1]: a little up or down, dimmed, stretched to `wide`, now and
    then grainy."""
    strips = np.zeros((len(lines), 1, 32, max(pixels.shape[1] for pixels, _ in lines)), np.float32)
    for strip, (pixels, _) in zip(strips, lines):
        down = int(rng.integers(-2, 3))
        if not (pixels[:2].any() or pixels[-2:].any()):
            pixels = np.roll(pixels, down, axis=0)
        strip[0, :, : pixels.shape[1]] = pixels * np.float32(rng.uniform(0.75, 1) / 255)
    batch = F.interpolate(torch.from_numpy(strips), (32, wide), mode="bilinear", align_corners=False)
    batch = F.pad(batch, (0, batch_width(wide) - wide))
    if rng.random() < 0.2:
        batch += 0.05 * torch.from_numpy(rng.standard_normal(batch.shape, np.float32))
    return batch.clamp_(0, 1)


def labels_of(texts: Sequence[str]) -> Tensor:
    """Return the classes (N, L) of the symbols of `texts`, filled up with BLANK."""
    labels = torch.full((len(texts), max(map(len, texts))), BLANK)
    for row, text in zip(labels, texts):
        row[: len(text)] = torch.tensor([SYMBOLS.index(symbol) for symbol in text])
    return labels


def line_loss(logs: Tensor, labels: Tensor) -> Tensor:
    """Return the mean CTC loss a line of log-probabilities (N, T, classes); 0 for a line too narrow for its text."""
    lengths = (labels != BLANK).sum(1)
    columns = torch.full_like(lengths, logs.shape[1])
    losses = F.ctc_loss(
        logs.transpose(0, 1), labels, columns, lengths, BLANK, reduction="none", zero_infinity=True
    )
    return losses.mean()


class LossTracker(Tracker):
    """The mean loss a batch alone: a text has no logits of its own to be compared with."""

    def update(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take in a batch's mean loss."""
        self._sums[:2] += torch.stack([torch.ones_like(loss), loss])

"""How the line reader is trained: composed lines, kept in chunks, and CTC (Graves et al., 2006).

    python -m training.lines --hands FOLDER --out lines.pth

A round is one chunk of composed lines; a training stopped between two rounds goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from base.storage import atomic_write
from dataset import load_mnist, split_validation
from model import BLANK, SYMBOLS, LineReader
from training.loop import WeightAverage, one_cycle
from training.pictures.hands import load_hands
from training.pictures.lines import Composer

CHUNK = 5_000  # lines
BATCH_COLUMNS = 4_096  # pixels; a batch is as many lines of like width as fill this


@dataclass
class Chunk:
    """Composed lines, stored end to end."""

    pixels: np.ndarray  # uint8 (32, total width)
    ends: np.ndarray  # int64 (N,): the column behind each line
    texts: list[str]

    def __len__(self) -> int:
        return len(self.texts)


def make_chunk(composer: Composer, seed: tuple[int, int], count: int = CHUNK) -> Chunk:
    """Return `count` composed lines."""
    rng = np.random.default_rng(seed)
    lines = [composer.compose(rng) for _ in range(count)]
    return Chunk(
        np.concatenate([pixels for pixels, _ in lines], axis=1),
        np.cumsum([pixels.shape[1] for pixels, _ in lines]),
        [text for _, text in lines],
    )


def save_chunk(path: Path, chunk: Chunk) -> None:
    with atomic_write(path) as file:
        np.savez(file, pixels=chunk.pixels, ends=chunk.ends, texts=np.array(chunk.texts))


def load_chunk(path: Path) -> Chunk:
    with np.load(path) as file:
        return Chunk(file["pixels"], file["ends"], file["texts"].tolist())


def batches(chunk: Chunk, rng: np.random.Generator) -> Iterator[tuple[Tensor, list[str]]]:
    """Yield (strips (N, 1, 32, W) in [0, 1], texts) in random order, each batch of lines of like width."""
    starts = np.concatenate([[0], chunk.ends[:-1]])
    widths = chunk.ends - starts
    order = np.argsort(widths * rng.uniform(0.9, 1.1, len(widths)))
    groups: list[list[int]] = [[]]
    for line in order:
        if (
            groups[-1]
            and (len(groups[-1]) + 1) * max(widths[line], max(widths[n] for n in groups[-1][-3:]))
            > BATCH_COLUMNS
        ):
            groups.append([])
        groups[-1].append(int(line))
    for place in rng.permutation(len(groups)):
        group = groups[place]
        strips = np.zeros((len(group), 1, 32, int(widths[group].max())), np.float32)
        for row, line in enumerate(group):
            down, pixels = int(rng.integers(-2, 3)), chunk.pixels[:, starts[line] : chunk.ends[line]]
            if down and not pixels[:2].any() and not pixels[-2:].any():
                pixels = np.roll(pixels, down, axis=0)
            strips[row, 0, :, : pixels.shape[1]] = pixels * np.float32(rng.uniform(0.75, 1) / 255)
        wide = int(round(strips.shape[3] * rng.uniform(0.85, 1.15) / 4)) * 4
        batch = F.interpolate(torch.from_numpy(strips), (32, wide), mode="bilinear", align_corners=False)
        if rng.random() < 0.2:
            batch = (batch + 0.05 * torch.from_numpy(rng.standard_normal(batch.shape, np.float32))).clamp_(
                0, 1
            )
        yield batch, [chunk.texts[line] for line in group]


def targets_of(texts: list[str]) -> tuple[Tensor, Tensor]:
    """Return the classes of all symbols of `texts`, end to end, and the length of each text."""
    return torch.tensor([SYMBOLS.index(each) for text in texts for each in text]), torch.tensor(
        [len(text) for text in texts]
    )


def line_loss(logs: Tensor, texts: list[str]) -> Tensor:
    """Return the mean CTC loss a line of log-probabilities (N, T, classes)."""
    wanted, lengths = targets_of(texts)
    loss = F.ctc_loss(
        logs.transpose(0, 1),
        wanted,
        torch.full((len(texts),), logs.shape[1]),
        lengths,
        BLANK,
        reduction="sum",
        zero_infinity=True,
    )
    return loss / len(texts)


def greedy(logs: Tensor) -> list[str]:
    """Return the likeliest path's text of each of log-probabilities (N, T, classes)."""
    texts = []
    for path in logs.argmax(2).tolist():
        texts.append(
            "".join(SYMBOLS[now] for before, now in zip([BLANK, *path], path) if now not in (before, BLANK))
        )
    return texts


def train_lines(
    chunk_of: Callable[[int], Chunk],
    rounds: int,
    out: Path,
    *,
    seed: int = 0,
    learning_rate: float = 2e-3,
    weight_decay: float = 0.02,
    average: float = 0.998,
    start: Path | None = None,
    after_round: Callable[[int, LineReader], None] | None = None,
    log: Callable[[str], None] = print,
) -> LineReader:
    """Train a line reader for `rounds` chunks and return its averaged weights; `out` holds the state after each round."""
    torch.manual_seed(seed)
    model = LineReader()
    if start is not None:
        model.load_state_dict(torch.load(start, weights_only=True)["average"])
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
    mean, first = WeightAverage(model, average), 0
    if out.exists():
        state = torch.load(out, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        mean.weights, mean.steps, first = state["average"], state["steps"], state["round"]
        log(f"goes on after round {first}")
    for number in range(first, rounds):
        started, total, lines, rng = time.perf_counter(), 0.0, 0, np.random.default_rng((seed, number))
        chunk = chunk_of(number)
        model.train()
        for strips, texts in batches(chunk, rng):
            rate = learning_rate * one_cycle((number + lines / len(chunk)) / rounds)
            for group in optimizer.param_groups:
                group["lr"] = rate
            logs = model(strips.contiguous(memory_format=torch.channels_last))
            loss = line_loss(logs, texts)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            mean.update(model)
            total, lines = total + float(loss.detach()) * len(texts), lines + len(texts)
        with atomic_write(out) as file:
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "average": mean.weights,
                    "steps": mean.steps,
                    "round": number + 1,
                },
                file,
            )
        log(
            f"round {number + 1}/{rounds}: loss {total / lines:.3f}, {(time.perf_counter() - started) * 1000 / lines:.1f} ms a line"
        )
        if after_round is not None:
            after_round(number + 1, averaged(mean))
    return averaged(mean)


def averaged(mean: WeightAverage) -> LineReader:
    """Return a line reader with the averaged weights, in eval mode."""
    model = LineReader()
    model.load_state_dict(mean.weights)
    return model.eval()


def make_composer(hands: Path, more: Path | None) -> Composer:
    """Return a composer of MNIST's training digits and other hands."""
    digits, _ = split_validation(load_mnist(True))
    pictures = []
    for path in (hands / "hwd1000_digits.npz", *((more / "optdigits.npz",) if more else ())):
        with np.load(path) as file:
            images = file["x"]
            pictures.append(
                (np.pad(images, ((0, 0), *(((0, 32 - images.shape[1]),) * 2))), file["y"].astype(int))
            )
    others = (
        np.concatenate([images for images, _ in pictures]),
        np.concatenate([labels for _, labels in pictures]),
    )
    return Composer(digits.images[:, 0].numpy(), digits.labels.numpy(), load_hands(hands, more), others)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", type=Path, required=True)
    parser.add_argument("--more", type=Path, help="folder with pen_strokes.jsonl.gz and optdigits.npz")
    parser.add_argument(
        "--chunks", type=Path, default=Path("runs/lines"), help="folder where composed lines are kept"
    )
    parser.add_argument("--out", type=Path, default=Path("lines.pth"))
    parser.add_argument("--start", type=Path)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument(
        "--compose", type=int, nargs=2, metavar=("FIRST", "STOP"), help="only compose these chunks"
    )
    parser.add_argument(
        "--kept", type=int, default=0, help="chunks to go through again and again; 0: a new one each round"
    )
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    composer: list[Composer] = []

    def chunk_of(number: int) -> Chunk:
        number = number % arguments.kept if arguments.kept else number
        path = arguments.chunks / f"chunk{number}.npz"
        if path.exists():
            return load_chunk(path)
        if not composer:
            composer.append(make_composer(arguments.hands, arguments.more))
        chunk = make_chunk(composer[0], (arguments.seed, number))
        path.parent.mkdir(parents=True, exist_ok=True)
        save_chunk(path, chunk)
        return chunk

    if arguments.compose:
        for number in range(*arguments.compose):
            chunk_of(number)
            print(number, flush=True)
        return 0
    train_lines(
        chunk_of,
        arguments.rounds,
        arguments.out,
        seed=arguments.seed,
        learning_rate=arguments.rate,
        start=arguments.start,
        log=lambda line: print(time.strftime("%H:%M:%S"), line, flush=True),
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The recipe of a training: every option that decides the weights, and what each network sets otherwise.

Imports no torch, so that `train.py --help` and a wrong option are answered at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

LEAST_STEPS = 600  # of a training on a folder of pictures
LEAST_BATCHES = 16  # an epoch of a training on a folder of pictures
LINES = 1_000  # composed a round of the line reader's training
RETRAIN_EPOCHS = 2  # of a training that adds corrections to a model
RETRAIN_RATE = (
    0.2  # of the recipe's learning rate, for a training that adds corrections or goes on with lines
)
AUGMENTATIONS = ("full", "light", "none")
OPTIMIZERS = ("adamw", "adam", "sgd", "momentum")

# the recipe of most tutorials: Adam at 0.001, the pictures as they are, the last weights kept
_PLAIN = {
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 10,
    "batch_size": 64,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "average": 0.0,
    "augment": "none",
}


@dataclass(frozen=True)
class Network:
    """A network of model.ARCHITECTURES as train.py knows it: a line of help, and what its recipe changes."""

    summary: str
    recipe: dict[str, Any] = field(default_factory=dict)


NETWORKS = {
    "residual": Network("the default: two residual blocks, 351,082 parameters", {"lines_rounds": 100}),
    "tiny": Network("the default made narrow: 21,694 parameters"),
    "simple": Network("two convolutions, two linear layers: 421,642 parameters", _PLAIN),
    "wide": Network(
        "three full-size convolutions with BatchNorm: 6,480,010 parameters", {**_PLAIN, "epochs": 5}
    ),
    "colour": Network(
        "64 x 64 pixels in colour: 20,180 parameters",
        {**_PLAIN, "epochs": 30, "batch_size": 50, "learning_rate": 0.01},
    ),
    "scratch": Network(
        "three linear layers written by hand, no autograd: 235,146 parameters",
        {
            "optimizer": "momentum",
            "learning_rate": 0.1,
            "epochs": 16,
            "batch_size": 128,
            "weight_decay": 0.0,
            "augment": "light",
        },
    ),
}
DEFAULT = next(iter(NETWORKS))


def opt(default: Any, help: str) -> Any:
    """Return a dataclass field that knows its --help line."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """What decides the weights. A network's own recipe (NETWORKS) stands between these and the flags."""

    arch: str = opt(DEFAULT, "network to train: " + ", ".join(NETWORKS))
    epochs: int = opt(10, "passes over the training images; 0: the network of --start stays as it is")
    lines_rounds: int = opt(
        0,
        f"rounds of {LINES:,} composed lines from which the line reader learns, after the network (residual: 100); "
        "0: none, or that of --start",
    )
    batch_size: int = opt(256, "images a step")
    learning_rate: float = opt(0.006, "peak of the one-cycle schedule")
    weight_decay: float = opt(0.05, "decoupled weight decay")
    optimizer: str = opt("adamw", "adamw, adam or sgd; momentum for the network written by hand")
    label_smoothing: float = opt(0.05, "probability taken from the label and spread over all classes")
    average: float = opt(
        0.998, "decay a step of the running mean of the weights that is kept (0: the last weights)"
    )
    keep: float = opt(
        0.0, "share of the weights of --start in those that are written (Wortsman et al., 2022)"
    )
    augment: str = opt(
        "full", "full, light (turned, shifted and bent only), or none: train on the pictures as they are"
    )
    calm: float = opt(0.2, "last share of the run, in [0, 1], in which full augmentation is gentler")
    teacher: str = opt("", "checkpoint whose answers are learnt beside the labels (distillation)")
    seed: int = opt(0, "fixes weights, order and augmentation")


@dataclass(frozen=True)
class Job:
    """What train.py is asked for: the options of the recipe that were given, and the other ones by their names."""

    recipe: Mapping[str, Any] = field(default_factory=dict)
    resume: bool = False
    forever: bool = False
    data: Path | None = None
    as_is: bool = False
    data_dir: Path | None = None
    fallback: bool = True
    start: Path | None = None
    corrections: Path | None = None
    hands: Sequence[Path] = ()
    output: Path | None = None
    device: str | None = None
    precision: str | None = None
    command: str = ""


def make_job(options: Mapping[str, Any], command: str = "") -> Job:
    """Return the job that a parser's `options` ask for. Raises ValueError for those that do not go together."""
    names = {option.name for option in fields(TrainConfig)}
    given = {name: options[name] for name in names if options[name] is not None}
    others = {option.name: options[option.name] for option in fields(Job) if option.name in options}
    if others["corrections"] is True:  # named without a folder
        from corrections.store import default_folder

        others["corrections"] = default_folder()
    others["hands"] = tuple(others.get("hands") or ())
    job = Job(recipe=given, command=command, **others)
    make_config(given.get("arch", DEFAULT), given)
    if job.data is None and job.as_is:
        raise ValueError("--as-is belongs to --data FOLDER")
    if job.data is not None and job.hands:
        raise ValueError("--hands are learnt beside MNIST: leave --data out")
    if job.data is not None and (job.data_dir is not None or not job.fallback):
        raise ValueError("--data-dir and --no-fallback are for MNIST, not for --data")
    if job.output is not None and job.output.suffix in (".onnx", ".pt2"):
        raise ValueError(
            f"--output is a checkpoint, .pth: `python export.py` makes a {job.output.suffix} of it"
        )
    return job


def make_config(arch: str, given: Mapping[str, Any], adapted: Mapping[str, Any] | None = None) -> TrainConfig:
    """Return the defaults, overridden by the network's recipe, by what suits the data, by the options `given`.

    Raises ValueError for an unknown network and for values out of range.
    """
    if arch not in NETWORKS:
        raise ValueError(f"no network is called {arch!r}: choose from {', '.join(NETWORKS)}")
    config = TrainConfig(**{**NETWORKS[arch].recipe, **(adapted or {}), **given, "arch": arch})
    for name in ("batch_size", "learning_rate"):
        if not getattr(config, name) > 0:
            raise ValueError(f"--{name.replace('_', '-')} must be above 0")
    for name in ("epochs", "lines_rounds"):
        if getattr(config, name) < 0:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 0")
    for name in ("label_smoothing", "average", "calm", "keep"):
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"--{name.replace('_', '-')} must lie in [0, 1]")
    if not 0 <= config.seed < 1 << 40:
        raise ValueError("--seed must lie in [0, 2^40)")
    for name, known in (("augment", AUGMENTATIONS), ("optimizer", OPTIMIZERS)):
        if getattr(config, name) not in known:
            raise ValueError(f"--{name} is one of {', '.join(known)}, not {getattr(config, name)!r}")
    return config


def suit_small_data(config: TrainConfig, count: int) -> dict[str, int]:
    """Return batch size and epochs for `count` pictures: LEAST_BATCHES an epoch and LEAST_STEPS in all."""
    batch_size = min(config.batch_size, max(8, count // LEAST_BATCHES))
    steps = max(count // batch_size, 1)
    return {"batch_size": batch_size, "epochs": max(config.epochs, -(-LEAST_STEPS // steps))}

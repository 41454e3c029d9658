"""The checkpoint: a file of plain types that rebuilds its own network; opening one never runs code."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from base.card import read_card
from base.devices import choose_device, need_torch
from base.networks import answer
from base.onnx_file import open_onnx
from base.storage import MODEL_PATH as MODEL_PATH
from base.storage import atomic_write
from ink import BLANK, DIGITS
from ink.files import need_file

if TYPE_CHECKING:
    import torch
    from torch import Tensor

FORMAT = "digits-v1"
# see Checkpoint
LINE_FACTS = ("line_temperature", "line_weights", "line_form", "line_thresholds", "least_likely")
FOR_OTHERS = {".pt2": "torch.export.load", ".torchscript": "torch.jit.load"}  # exports, and what reads them
LARGEST_INPUT = 512  # pixels; side of what a network may ask for


class CheckpointError(ValueError):
    """A file that is no checkpoint of ours, or one that does not fit."""


@dataclass
class Checkpoint:
    """A trained network with what is needed to use it."""

    model: Any
    arch: str
    config: dict[str, Any]
    classes: tuple[str, ...] = DIGITS
    input: dict[str, Any] = field(default_factory=lambda: {"size": 28, "channels": 1, "road": True})
    facts: dict[str, Any] = field(default_factory=dict)
    lines: Any = None  # a LineReader, which reads a line of writing whole, if there is one

    @property
    def temperature(self) -> float:
        """Divide logits by this before the softmax (Guo et al., 2017); fitted on the validation split."""
        return float(self.facts.get("temperature", 1.0))

    @property
    def line_temperature(self) -> float:
        """Divide the line reader's logits by this before the softmax; fitted on made and held-out numbers."""
        return float(self.facts.get("line_temperature", 1.0))

    @property
    def line_weights(self) -> tuple[float, float, float, float]:
        """How much what the classifier says of the digits of a line (recognizer.reader.support) counts beside the line
        reader's log-probability; fitted as well."""
        weights = tuple(map(float, self.facts.get("line_weights", (0.5, 0.5))))
        if len(weights) == 2:  # one for digits that stand free, one for the others, until November 2026
            weights = (weights[0], weights[0], weights[1], weights[1])
        one, this, cut_one, cut_this = weights
        return one, this, cut_one, cut_this

    @property
    def line_form(self) -> float:
        """How many nats a usual form of numbers is worth to a text (recognizer.forms); fitted as well."""
        return float(self.facts.get("line_form", 0.0))

    @property
    def line_thresholds(self) -> tuple[float, float, float]:
        """The least nats of certainty and line reader's log-odds together that count as a digit: of one that stands
        alone, one among digits and signs, and one beside other marks; fitted as well."""
        alone, among, beside = self.facts.get("line_thresholds", (self.threshold,) * 3)
        return float(alone), float(among), float(beside)

    @property
    def least_likely(self) -> float:
        """The least probability of a line's text that counts; a line of a less likely one is no number. Fitted as well."""
        return float(self.facts.get("least_likely", 0.0))

    @property
    def threshold(self) -> float:
        """The least `certainty` (nats) that counts as an answer; below it a picture is "not a digit"."""
        return float(self.facts.get("threshold", 0.0))


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; raises OSError and leaves `path` as it was if that fails."""
    content = {
        "format": FORMAT,
        "arch": checkpoint.arch,
        "config": dict(checkpoint.config),
        "classes": list(checkpoint.classes),
        "input": dict(checkpoint.input),
        "facts": dict(checkpoint.facts),
        "weights": _weights(checkpoint.model),
    }
    if checkpoint.lines is not None:
        content["lines"] = _weights(checkpoint.lines)
    write_plain(path, content)


def _weights(model: Any) -> dict[str, Tensor]:
    return {name: weight.detach().cpu().contiguous() for name, weight in model.state_dict().items()}


def write_plain(path: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """Write plain types to a `.pth` file, atomically; raises OSError and leaves `path` as it was if that fails."""
    import torch

    packed = io.BytesIO()  # on a full disk, torch.save may turn the OSError into a RuntimeError
    torch.save(content, packed)
    with atomic_write(path) as file:
        file.write(packed.getbuffer())


def read_plain(path: str | os.PathLike[str]) -> Any:
    """Return what a `.pth` file holds, plain types only. Raises FileNotFoundError or CheckpointError."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no model at {path}: run `python train.py` first, or name one with --model")
    need_file(path)
    content = path.read_bytes()
    if _unpacked_size(content) > len(content):
        raise CheckpointError(
            f"{path} unpacks to more than its own size, which no checkpoint does: it is refused"
        )
    need_torch(str(path), ", or name an .onnx file that export.py made, which is read without torch")
    import torch

    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds for bad bytes: RuntimeError, UnpicklingError, KeyError, ...
        if "Unsupported global" in str(error):
            raise CheckpointError(
                f"{path} holds a whole pickled model, not plain weights: opening it could run code, so it is refused. "
                "Convert it where it was made: torch.save(model.state_dict(), 'weights.pth')"
            ) from error
        raise CheckpointError(
            f"{path} is not a model file, or is damaged, or holds more than plain weights (which is refused, since "
            "opening it could run code): train one with `python train.py`"
        ) from error


def load_checkpoint(
    path: str | os.PathLike[str] = MODEL_PATH, device: torch.device | str = "cpu"
) -> Checkpoint:
    """Return the checkpoint at `path`, its network in eval mode on `device`.

    A `.onnx` that export.py wrote is taken too. A bare state_dict of an older script loads when its keys and
    shapes fit one registered network. Raises FileNotFoundError, OSError or CheckpointError, and ValueError
    for a device that does not work; each names the cure.
    """
    if Path(path).suffix in (".onnx", *FOR_OTHERS):
        return _from_export(Path(path), device)
    content = read_plain(path)
    if isinstance(content, dict) and "format" in content:
        checkpoint = _from_content(path, content)
    else:
        checkpoint = _from_state_dict(path, content)
    place = choose_device(str(device))
    checkpoint.model.to(place)
    checkpoint.model.eval()
    if checkpoint.lines is not None:
        checkpoint.lines.to(place)
    return checkpoint


def _from_export(path: Path, device: torch.device | str) -> Checkpoint:
    if not path.exists():
        raise FileNotFoundError(f"no model at {path}: make one with `python export.py`")
    if path.suffix in FOR_OTHERS:
        raise CheckpointError(
            f"{path} is for other programs ({FOR_OTHERS[path.suffix]}): name the .pth it was made from, or "
            "make an .onnx with `python export.py --format onnx`"
        )
    try:
        network, lines, text = open_onnx(path)
        card = read_card(text, path)
    except (ImportError, ValueError) as error:
        raise CheckpointError(str(error)) from error
    checkpoint = Checkpoint(
        network, str(card["arch"]), {}, tuple(map(str, card["classes"])), card["input"], card["facts"]
    )
    checkpoint.lines = lines
    try:
        _try_out(checkpoint)
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise CheckpointError(f"{path} does not fit its own description: export it again") from error
    if str(device) != "cpu":
        choose_device(str(device))  # what it answers is wanted there; it computes on the CPU
    return checkpoint


def _from_content(path: str | os.PathLike[str], content: dict[str, Any]) -> Checkpoint:
    if content["format"] != FORMAT:
        raise CheckpointError(
            f"{path} has format {content['format']!r}, this program reads {FORMAT!r}: update the program"
        )
    from model import build_model, line_reader_of

    try:
        classes = tuple(str(name) for name in content["classes"])
        arch, config = content["arch"], dict(content["config"])
        model = fill(lambda: build_model(arch, len(classes), config), content["weights"])
        taken, facts = dict(content["input"]), dict(content["facts"])
        checkpoint = Checkpoint(model, arch, config, classes, taken, facts)
        if "lines" in content:
            checkpoint.lines = fill(lambda: line_reader_of(content["lines"]), content["lines"])
        _try_out(checkpoint)
        return checkpoint
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            f"{path} does not fit its own description: train a new one with `python train.py`"
        ) from error


def shapes_of(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    """Return the shape of each of `weights`."""
    return {name: weight.shape for name, weight in weights.items()}


def fill(build: Callable[[], Any], weights: dict[str, Tensor]) -> Any:
    """Return what `build` builds with `weights`, in eval mode; raises ValueError if they are another network's."""
    import torch

    with torch.device("meta"):  # allocates nothing: the description may ask for more than its weights hold
        wanted = build().state_dict()
    if shapes_of(wanted) != shapes_of(weights):
        raise ValueError("weights of another network")
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced: a training must not notice
        model = build()
    model.load_state_dict(weights)
    model.eval()
    return model


def _try_out(checkpoint: Checkpoint) -> None:
    """Read a blank picture; raises some error if the network, its input, classes and facts do not fit together."""
    taken, classes = checkpoint.input, checkpoint.classes
    size, channels = taken["size"], taken["channels"]
    if not (
        type(size) is int
        and 1 <= size <= LARGEST_INPUT
        and channels in (1, 3)
        and isinstance(taken["road"], bool)
    ):
        raise ValueError("no such input")
    if taken["road"] and (size, channels) != (28, 1):
        raise ValueError("frames are 28 x 28 in grey")
    if not (0 < checkpoint.temperature < math.inf and math.isfinite(checkpoint.threshold)):
        raise ValueError("no such temperature or threshold")
    blank = np.zeros((1, channels, size, size), np.float32)
    if answer(checkpoint.model, blank).shape != (1, len(classes)):
        raise ValueError("as many logits as classes are needed")
    if not (
        0 < checkpoint.line_temperature < math.inf
        and math.isfinite(sum(checkpoint.line_weights) + checkpoint.line_form)
    ):
        raise ValueError("no such temperature or weights of the line reader")
    if checkpoint.lines is not None:
        from ink.strip import STRIP_HEIGHT

        strip = np.zeros((1, 1, STRIP_HEIGHT, 2 * STRIP_HEIGHT), np.float32)
        if answer(checkpoint.lines, strip).shape != (1, STRIP_HEIGHT, BLANK + 1):
            raise ValueError("a column of log-probabilities for two pixels is needed")


def _unpacked_size(content: bytes) -> int:
    """Return the bytes that a zip file's members unpack to, 0 if it is no whole zip file. torch.save does not pack."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return sum(entry.file_size for entry in file.infolist())
    except Exception:  # zipfile raises many kinds for bad bytes; torch.load says what is wrong
        return 0


def _from_state_dict(path: str | os.PathLike[str], content: Any) -> Checkpoint:
    from model import ARCHITECTURES, build_model

    for arch, known in ARCHITECTURES.items():
        model = build_model(arch)
        try:
            model.load_state_dict(content)
        except (TypeError, RuntimeError, AttributeError, ValueError, KeyError):
            continue
        return Checkpoint(model, arch, dict(known.config))
    raise CheckpointError(
        f"{path} holds the weights of no network known here: train one with `python train.py`"
    )

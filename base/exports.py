"""Networks for other programs: written as .pt2, .onnx and TorchScript, checked; `.onnx` read back by onnxruntime.

An export carries one JSON text, its card: format, classes, input, facts, and the preprocessing constants.
What is read here is believed only as far as that card goes.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from base.storage import EXPORT_MARK, atomic_write

if TYPE_CHECKING:
    from base.checkpoint import Checkpoint

CARD = "digits"  # the name under which an export carries its card
FORMATS = ("pt2", "onnx", "torchscript")
CHECKS = 1_000  # inputs on which an export is compared with its checkpoint
TOLERANCE = 1e-4  # largest difference between two logits
Network = Callable[[Tensor], Tensor]  # images -> logits

# the key that names another file for a tensor's values, as protobuf writes it: field 1, length 8 (either may be padded)
EXTERNAL_DATA = re.compile(rb"(?:\n|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")


class OnnxNetwork:
    """A network in an .onnx file: images (N, C, H, W) in [0, 1] -> logits (N, classes), on the CPU."""

    training = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file and no other; raises ImportError without onnxruntime, ValueError if it is no ONNX network."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(f"{path} needs onnxruntime: pip install onnxruntime") from error
        content = Path(path).read_bytes()
        if EXTERNAL_DATA.search(
            content
        ):  # onnxruntime would look for that file in the working directory and above
            raise ValueError(
                f"{path} keeps weights in other files, which are not opened: export it as one file"
            )
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.load_model_format", "ONNX")  # no other container
        options.log_severity_level = 3  # errors are raised; warnings are not the user's business
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise ValueError(f"{path} is not an ONNX network, or is damaged") from error
        self.card = self.session.get_modelmeta().custom_metadata_map.get(CARD, "")
        self._input = self.session.get_inputs()[0].name

    def __call__(self, images: Tensor) -> Tensor:
        feed = {self._input: np.ascontiguousarray(images.detach().cpu().numpy(), np.float32)}
        return torch.from_numpy(self.session.run(None, feed)[0]).to(images.device)

    def to(self, *_: Any, **__: Any) -> OnnxNetwork:
        return self

    def eval(self) -> OnnxNetwork:
        return self

    def train(self, training: bool = True) -> OnnxNetwork:
        return self

    def parameters(self) -> list[Tensor]:
        return []


def make_card(arch: str, classes: tuple[str, ...], input: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the JSON text that an export carries."""
    size, channels = input["size"], input["channels"]
    return json.dumps(
        {
            "format": EXPORT_MARK,
            "arch": arch,
            "classes": list(classes),
            "input": dict(input),
            "facts": dict(facts),
            "preprocessing": {
                "shape": ["batch", channels, size, size],
                "values": "float32 in [0, 1]; standardisation is inside the network",
                "placing": "ink bright on 0; longer side 20 px, centre of mass on pixel 14.0 of 28"
                if input["road"]
                else "the picture scaled to the size, colours divided by 255",
                "output": "logits; divide by facts.temperature, then softmax",
            },
        },
        ensure_ascii=False,
    )


def read_card(text: str | bytes, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a card's content; raises ValueError if it is none of ours."""
    try:
        card = json.loads(text)
        good = (
            card["format"] == EXPORT_MARK
            and card["classes"]
            and {"size", "channels", "road"} <= set(card["input"])
            and isinstance(card["facts"], dict)
            and isinstance(card["arch"], str)
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} was not made by export.py: it does not say its classes and input"
        ) from error
    if not good:
        raise ValueError(f"{path} was exported in a format that this program does not read: export it again")
    return card


# ---------------------------------------------------------------------------------- writing


class ExportError(ValueError):
    """An export that could not be made, or does not agree with its checkpoint."""


class HandMade(nn.Module):
    """The network written by hand as a module: its weights as parameters, its own forward."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.weights = nn.ParameterList(network.weights)
        self.biases = nn.ParameterList(network.biases)
        self.compute = type(network).compute

    def forward(self, images: Tensor) -> Tensor:
        return self.compute(images, list(self.weights), list(self.biases))[-1]


def export(checkpoint: Checkpoint, name: str, path: Path) -> float:
    """Write `checkpoint` in the format `name`, one of FORMATS, and return its largest difference on CHECKS inputs.

    The file appears only once it has been read back and agrees. Raises ExportError or OSError.
    """
    model = as_module(checkpoint.model)
    size, channels = checkpoint.input["size"], checkpoint.input["channels"]
    inputs = check_inputs(channels, size)
    card = make_card(checkpoint.arch, checkpoint.classes, checkpoint.input, checkpoint.facts)
    writers = {"pt2": _write_pt2, "onnx": _write_onnx, "torchscript": _write_torchscript}
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"network.{name}"
        try:
            with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")  # exporters talk of their own inside
                reload = writers[name](model, inputs[:2].clone(), card, draft)
                difference = largest_difference(model, reload(draft), inputs)
        except OSError:
            raise
        except ImportError as error:
            raise ExportError(
                f"cannot write {name} here: {error}: `pip install -r requirements-dev.txt` brings it"
            ) from error
        except Exception as error:  # exporters raise many kinds
            raise ExportError(f"cannot write {name} here: {str(error) or type(error).__name__}") from error
        if not difference <= TOLERANCE:
            raise ExportError(
                f"{name} differs from the checkpoint by {difference:.1e}, more than {TOLERANCE}: not kept"
            )
        with atomic_write(path) as file:
            file.write(draft.read_bytes())
    return difference


def as_module(model: Any) -> nn.Module:
    """Return a network in eval mode as a module on the CPU; raises ExportError for one that was exported already."""
    if isinstance(model, nn.Module):
        return model.cpu().eval()
    if hasattr(model, "weights"):
        return HandMade(model.to("cpu")).eval()
    raise ExportError("this is an export already: name the .pth it was made from with --model")


def check_inputs(channels: int, size: int) -> Tensor:
    """Return CHECKS fixed inputs (N, C, S, S) in [0, 1]: noise, from faint to full, over blank and full ones."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(CHECKS, channels, size, size, generator=generator)
    inputs = (inputs * torch.linspace(0, 2, CHECKS)[:, None, None, None]).clamp(max=1)
    return inputs * (torch.rand(CHECKS, 1, size, size, generator=generator) < 0.4)


def largest_difference(model: Network, other: Network, inputs: Tensor) -> float:
    """Return the largest absolute difference between two networks' logits, in batches of several sizes."""
    with torch.inference_mode():
        parts = inputs.split([1, 99, 400, len(inputs) - 500])
        return float(
            torch.stack([(model(part) - other(part)).abs().max() for part in parts]).max()
        )  # NaN where one is


def _write_pt2(model: nn.Module, example: Tensor, card: str, path: Path) -> Callable[[Path], Network]:
    program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path, extra_files={CARD: card})
    return _read_pt2


def _read_pt2(path: Path) -> Network:
    logging.getLogger("torch.export").setLevel(logging.CRITICAL)  # it logs what it raises
    return torch.export.load(os.fspath(path)).module()


def _write_onnx(model: nn.Module, example: Tensor, card: str, path: Path) -> Callable[[Path], Network]:
    import onnx

    torch.onnx.export(
        model,
        (example,),
        path,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    network = onnx.load(path)
    entry = network.metadata_props.add()
    entry.key, entry.value = CARD, card
    onnx.checker.check_model(network)
    onnx.save(network, path)
    return OnnxNetwork


def _write_torchscript(model: nn.Module, example: Tensor, card: str, path: Path) -> Callable[[Path], Network]:
    torch.jit.save(torch.jit.trace(model, example), str(path), _extra_files={CARD: card})
    return lambda draft: torch.jit.load(str(draft))

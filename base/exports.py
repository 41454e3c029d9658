"""Networks written for other programs as .pt2, .onnx and TorchScript, each checked; an .onnx is all that reading needs.

A checkpoint's two networks, classifier and line reader, are one graph in the .onnx (see onnx_file). The other formats
hold the classifier.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from base.card import CARD, make_card
from base.onnx_file import open_onnx
from base.storage import atomic_write

if TYPE_CHECKING:
    from base.checkpoint import Checkpoint

FORMATS = ("pt2", "onnx", "torchscript")
CHECKS = 1_000  # inputs on which an export is compared with its checkpoint
TOLERANCE = 1e-4  # largest difference between two logits, or two log-probabilities of lines
OPSET, IR_VERSION = 15, 8  # of 2021, the oldest that torch's graphs convert to
WIDTHS = (4, 64, 228, 1000)  # pixels; of the strips on which a line reader's export is compared
Network = Callable[[Tensor], Tensor]  # images -> logits


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


class Both(nn.Module):
    """Two networks as one, each with a batch of its own."""

    def __init__(self, model: nn.Module, lines: nn.Module) -> None:
        super().__init__()
        self.model, self.lines = model, lines

    def forward(self, images: Tensor, strips: Tensor) -> tuple[Tensor, Tensor]:
        return self.model(images), self.lines(strips)


def export(checkpoint: Checkpoint, name: str, path: Path) -> float:
    """Write `checkpoint` in the format `name`, one of FORMATS, and return its largest difference on CHECKS inputs.

    The file appears only once it has been read back and agrees. Raises ExportError or OSError.
    """
    model = as_module(checkpoint.model)
    size, channels = checkpoint.input["size"], checkpoint.input["channels"]
    inputs = check_inputs(channels, size)
    lines = checkpoint.lines.cpu().eval() if name == "onnx" and checkpoint.lines is not None else None
    card = make_card(
        checkpoint.arch, checkpoint.classes, checkpoint.input, checkpoint.facts, lines is not None
    )
    write_onnx = partial(_write_onnx, lines=lines)
    writers: dict[str, Callable[..., Callable[[Path], Network]]]
    writers = {"pt2": _write_pt2, "onnx": write_onnx, "torchscript": _write_torchscript}
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"network.{name}"
        try:
            with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")  # exporters talk of their own inside
                reload = writers[name](model, inputs[:2].clone(), card, draft)
                differences = [largest_difference(model, reload(draft), inputs.split([1, 99, 400, 500]))]
                if lines is not None:
                    again = open_onnx(draft)[1]
                    assert again is not None
                    differences.append(largest_difference(lines, again, check_strips()))
        except OSError:
            raise
        except ImportError as error:
            raise ExportError(
                f"cannot write {name} here: {error}: `pip install -r requirements-dev.txt` brings it"
            ) from error
        except Exception as error:  # exporters raise many kinds
            raise ExportError(f"cannot write {name} here: {str(error) or type(error).__name__}") from error
        difference = float(torch.tensor(differences).max())  # NaN where one is
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


def check_strips() -> list[Tensor]:
    """Return batches of strips (N, 1, 32, W) in [0, 1]: noise, from none to full, of each of WIDTHS."""
    generator = torch.Generator().manual_seed(0)
    return [
        torch.rand(8, 1, 32, width, generator=generator) * torch.linspace(0, 1, 8)[:, None, None, None]
        for width in WIDTHS
    ]


def largest_difference(model: Network, other: Network, batches: Sequence[Tensor]) -> float:
    """Return the largest absolute difference between what two networks answer to batches of several sizes."""
    with torch.inference_mode():
        return float(
            torch.stack([(model(batch) - other(batch)).abs().max() for batch in batches]).max()
        )  # NaN where one is


def _write_pt2(model: nn.Module, example: Tensor, card: str, path: Path) -> Callable[[Path], Network]:
    program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path, extra_files={CARD: card})
    return _read_pt2


def _read_pt2(path: Path) -> Network:
    logging.getLogger("torch.export").setLevel(logging.CRITICAL)  # it logs what it raises
    return torch.export.load(os.fspath(path)).module()


def _write_onnx(
    model: nn.Module, example: Tensor, card: str, path: Path, lines: nn.Module | None = None
) -> Callable[[Path], Network]:
    import onnx

    batch = {0: torch.export.Dim("batch")}
    module, examples, names, shapes = model, [example], [("images", "logits")], [batch]
    if lines is not None:
        module, examples = Both(model, lines), [example, check_strips()[1][:3]]
        names.append(("strips", "logs"))
        shapes.append({0: torch.export.Dim("lines"), 3: 4 * torch.export.Dim("quarter")})
    torch.onnx.export(
        module,
        tuple(examples),
        path,
        input_names=[given for given, _ in names],
        output_names=[answered for _, answered in names],
        dynamic_shapes=tuple(shapes),
        opset_version=18,  # what torch writes; converted below
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    network = onnx.version_converter.convert_version(onnx.load(path), OPSET)
    network.ir_version = IR_VERSION
    graph = network.graph
    for part in (network, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]  # torch's: where in which file of this machine each step was written
    del graph.value_info[:]
    if (
        lines is not None
    ):  # either may be left out: it is one blank picture then (not every runtime takes none)
        for name, shape in (("images", (1, *example.shape[1:])), ("strips", (1, 1, 32, 4))):
            graph.initializer.append(onnx.numpy_helper.from_array(torch.zeros(shape).numpy(), name))
    entry = network.metadata_props.add()
    entry.key, entry.value = CARD, card
    onnx.checker.check_model(network, full_check=True)
    onnx.save(network, path)
    return lambda draft: open_onnx(draft)[0]


def _write_torchscript(model: nn.Module, example: Tensor, card: str, path: Path) -> Callable[[Path], Network]:
    torch.jit.save(torch.jit.trace(model, example), str(path), _extra_files={CARD: card})
    return lambda draft: torch.jit.load(str(draft))

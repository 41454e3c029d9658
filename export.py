"""Write a trained network as .pt2, .onnx and TorchScript, and check each against the checkpoint.

    $ python export.py                       # model.pth -> model.pt2, model.onnx, model.torchscript

Each file carries the class names and the preprocessing constants, is read back, and must give the same logits
on 1,000 inputs; a difference over 1e-4 is an error.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from base import command
from base.checkpoint import MODEL_PATH, Checkpoint, load_checkpoint
from base.exports import CARD, OnnxNetwork, Pt2Network, make_card
from base.storage import atomic_write

CHECKS = 1_000  # inputs on which an export is compared
TOLERANCE = 1e-4  # largest difference between two logits
FORMATS = ("pt2", "onnx", "torchscript")


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


def main(argv: list[str] | None = None) -> int:
    """Export as told; return 0, or 1 if a file could not be made or differs."""
    arguments = build_parser().parse_args(argv)
    try:
        checkpoint = load_checkpoint(arguments.model)
    except (OSError, ValueError) as error:
        print(f"export.py: {command.one_line(error)}", file=sys.stderr)
        return 1
    failed = False
    for name in arguments.format or FORMATS:
        try:
            path = (arguments.output or arguments.model).with_suffix(f".{name}")
            difference = export(checkpoint, name, path)
            print(
                f"{path}: {path.stat().st_size:,} bytes, differs by at most {difference:.1e} on {CHECKS:,} inputs"
            )
        except (OSError, ValueError) as error:
            print(f"export.py: {command.one_line(error)}", file=sys.stderr)
            failed = (
                failed or bool(arguments.format) or name != "torchscript"
            )  # which newer Pythons have no more
    return int(failed)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="export.py",
        description="Write a trained network for other programs, checked against the checkpoint.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  python export.py\n"
        "  python export.py --model signs.pth --format onnx --output signs.onnx\n",
    )
    parser.add_argument(
        "--model", type=Path, default=MODEL_PATH, help="checkpoint to export (default: model.pth)"
    )
    parser.add_argument(
        "--output", type=Path, help="where to; the ending is replaced (default: beside the model)"
    )
    parser.add_argument(
        "--format", action="append", choices=FORMATS, help="repeat for several (default: all)"
    )
    return parser


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
    if isinstance(model, nn.Module) and not isinstance(model, Pt2Network):
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


def largest_difference(
    model: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], inputs: Tensor
) -> float:
    """Return the largest absolute difference between two networks' logits, in batches of several sizes."""
    with torch.inference_mode():
        parts = inputs.split([1, 99, 400, len(inputs) - 500])
        return float(
            torch.stack([(model(part) - other(part)).abs().max() for part in parts]).max()
        )  # NaN where one is


def _write_pt2(
    model: nn.Module, example: Tensor, card: str, path: Path
) -> Callable[[Path], Callable[[Tensor], Tensor]]:
    program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path, extra_files={CARD: card})
    return Pt2Network


def _write_onnx(
    model: nn.Module, example: Tensor, card: str, path: Path
) -> Callable[[Path], Callable[[Tensor], Tensor]]:
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


def _write_torchscript(
    model: nn.Module, example: Tensor, card: str, path: Path
) -> Callable[[Path], Callable[[Tensor], Tensor]]:
    torch.jit.save(torch.jit.trace(model, example), str(path), _extra_files={CARD: card})
    return lambda draft: torch.jit.load(str(draft))


if __name__ == "__main__":
    command.run(main)

"""Write a trained network for other programs, as .pt2, .onnx and TorchScript, and check each against the checkpoint.

    $ python export.py                       # model.pth -> model.pt2, model.onnx, model.torchscript

Each file carries the class names and the preprocessing constants, is read back, and must give the same logits
on 1,000 inputs; a difference over 1e-4 is an error. `--model model.onnx` of the other commands reads the
.onnx.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from base import command
from base.storage import MODEL_PATH, check_target

FORMATS = ("pt2", "onnx", "torchscript")


def main(argv: list[str] | None = None) -> int:
    """Export as told; return 0, or 1 if a file could not be made or differs."""
    arguments = build_parser().parse_args(argv)
    with command.importing():
        from base import exports
        from base.checkpoint import load_checkpoint
        from recognizer.shipped import with_reader
    checkpoint = with_reader(load_checkpoint(arguments.model))
    output = arguments.output or arguments.model
    if not output.name:
        raise ValueError(f"{output} is a folder: name a file with --output")
    failed = False
    for name in arguments.format or FORMATS:
        path = output.with_suffix(f".{name}")
        try:
            check_target(path, [arguments.model], arguments.force)
            difference = exports.export(checkpoint, name, path)
        except (OSError, ValueError) as error:  # the other formats may still be made
            print(f"export.py: {command.one_line(error)}", file=sys.stderr)
            failed = failed or bool(arguments.format) or name != "torchscript"  # newer Pythons have none
            continue
        size, checks = path.stat().st_size, exports.CHECKS
        print(f"{path}: {size:,} bytes, differs by at most {difference:.1e} on {checks:,} inputs")
    return int(failed)


def build_parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="export.py",
        description="Write a trained network for other programs, checked against the checkpoint.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  python export.py\n"
        "  python export.py --model signs.pth --format onnx --output signs.onnx\n\n"
        "what reads them: .onnx onnxruntime and this program's --model; .pt2 torch.export.load; .torchscript\n"
        "torch.jit.load.",
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
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that export.py did not write, too"
    )
    return parser


if __name__ == "__main__":
    command.run(main)

"""Exported networks read back: `.onnx` by onnxruntime, `.pt2` by torch.export, each called like a network.

An export carries one JSON text, its card: format, classes, input, facts, and the preprocessing constants for
programs other than this one. What is read here is believed only as far as that card goes.
"""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

CARD = "digits"  # the name under which an export carries its card
CARD_FORMAT = "digits-export-v1"

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


class Pt2Network(torch.nn.Module):
    """A network in a .pt2 file (torch.export): images -> logits."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, which may run code that it holds; raises ValueError if it is no exported network."""
        super().__init__()
        extra = {CARD: ""}
        logging.getLogger("torch.export").setLevel(logging.CRITICAL)  # it logs what it raises
        try:
            program = torch.export.load(os.fspath(path), extra_files=extra)
        except OSError:
            raise
        except Exception as error:  # torch raises many kinds for bad bytes
            raise ValueError(f"{path} is not a network exported by torch.export, or is damaged") from error
        self.program = program.module()
        self.card = extra[CARD]

    def forward(self, images: Tensor) -> Tensor:
        return self.program(images)

    def train(self, mode: bool = True) -> Pt2Network:
        return self  # an exported network has one mode


def make_card(arch: str, classes: tuple[str, ...], input: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the JSON text that an export carries."""
    size, channels = input["size"], input["channels"]
    return json.dumps(
        {
            "format": CARD_FORMAT,
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
            card["format"] == CARD_FORMAT
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

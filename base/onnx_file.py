"""Networks in an .onnx file of export.py, run by onnxruntime. No torch here: reading needs none.

The file holds one graph. It takes "images" and gives "logits"; where there is a line reader, it takes "strips" as
well and gives "logs". What it is not given is one small blank picture.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from base.card import CARD
from ink.files import need_file

# the key that names another file for a tensor's values, as protobuf writes it: field 1, length 8 (either may be padded)
EXTERNAL_DATA = re.compile(rb"(?:\n|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location")


class OnnxNetwork:
    """One network of an .onnx file, on one thread of the CPU: a batch of arrays, or of torch's tensors -> its answers."""

    training = False

    def __init__(self, session: Any, given: str, answered: str) -> None:
        """`given`, `answered`: what the graph calls the batch and the answers."""
        self._session, self._given, self._answered = session, given, answered

    def answer(self, batch: np.ndarray) -> np.ndarray:
        """Return the answers to a batch, both float32."""
        return self._session.run([self._answered], {self._given: np.ascontiguousarray(batch, np.float32)})[0]

    def __call__(self, batch: Any) -> Any:
        """Return the answers to a batch as a tensor where it lies: for what works with torch."""
        import torch

        return torch.from_numpy(self.answer(batch.detach().cpu().numpy())).to(batch.device)

    def to(self, *_: Any, **__: Any) -> OnnxNetwork:
        return self

    def eval(self) -> OnnxNetwork:
        return self

    def train(self, training: bool = True) -> OnnxNetwork:
        return self

    def parameters(self) -> list[Any]:
        return []


def open_onnx(path: str | os.PathLike[str]) -> tuple[OnnxNetwork, OnnxNetwork | None, str]:
    """Return the network in a file, its line reader if it has one, and the text of its card; no other file is opened.

    Raises ImportError without onnxruntime, ValueError if it is no ONNX network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(f"{path} needs onnxruntime: pip install onnxruntime") from error
    need_file(path)
    content = Path(path).read_bytes()
    if EXTERNAL_DATA.search(
        content
    ):  # onnxruntime would look for that file in the working directory and above
        raise ValueError(f"{path} keeps weights in other files, which are not opened: export it as one file")
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.load_model_format", "ONNX")  # no other container
    options.log_severity_level = 3  # errors are raised; warnings are not the user's business
    options.intra_op_num_threads = 1  # small networks; many pictures are read by several processes
    options.enable_mem_pattern = False  # it would keep a plan for each width of line
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise ValueError(f"{path} is not an ONNX network, or is damaged") from error
    has_lines = "logs" in [output.name for output in session.get_outputs()]
    lines = OnnxNetwork(session, "strips", "logs") if has_lines else None
    card = session.get_modelmeta().custom_metadata_map.get(CARD, "")
    return OnnxNetwork(session, "images", "logits"), lines, card

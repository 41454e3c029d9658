"""Where torch computes, how precisely and on how many threads; and what to say where it is not installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def choose_device(name: str | None = None) -> torch.device:
    """Return the device `name`, or a GPU of Nvidia's or AMD's on which a small kernel really runs, else the CPU.

    Raises ValueError if `name` does not work.
    """
    import torch

    for candidate in [name] if name else ["cuda", "cpu"]:
        try:
            device = torch.device(candidate)
            if device.type == "cuda" and not torch.cuda.is_available():
                raise RuntimeError("not available")
            (torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)).sum().item()
            return device
        except (RuntimeError, AssertionError) as error:
            if name:
                reason = str(error).splitlines()[0]
                if candidate.split(":")[0] not in ("cpu", "cuda"):
                    reason = "choose cpu or cuda"
                raise ValueError(
                    f"the device {name!r} does not work here ({reason}): leave --device out to use one that does"
                ) from error
    return torch.device("cpu")


def choose_precision(device: torch.device) -> str:
    """Return "bf16" where the device multiplies bfloat16 in hardware, else "fp32"."""
    import torch

    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu":
        return "bf16" if torch.cpu.get_capabilities().get("avx512_bf16", False) else "fp32"
    return "fp32"


def need_torch(what: str, otherwise: str = "") -> None:
    """Raise ValueError if torch is not installed: `what` needs it, and its cure is to install it, or `otherwise`."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{what} needs torch: pip install -r requirements.txt{otherwise}") from error


def use_one_thread() -> None:
    """Let torch compute on one thread in this process, if it has been loaded."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


def uses_cuda() -> bool:
    """Return whether torch computes on a GPU in this process already."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_initialized()

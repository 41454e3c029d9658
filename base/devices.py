"""Which device computes, and in which precision."""

from __future__ import annotations

import torch


def choose_device(name: str | None = None) -> torch.device:
    """Return the device `name`, or a GPU of Nvidia's or AMD's on which a small kernel really runs, else the CPU.

    An Apple GPU ("mps") is used only where it is named: nothing here was ever run on one. ValueError if `name` does not work.
    """
    for candidate in [name] if name else ["cuda", "cpu"]:
        try:
            device = torch.device(candidate)
            if (
                device.type == "cuda"
                and not torch.cuda.is_available()
                or device.type == "mps"
                and not torch.backends.mps.is_available()
            ):
                raise RuntimeError("not available")
            (torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)).sum().item()
            return device
        except (RuntimeError, AssertionError) as error:
            if name:
                reason = str(error).splitlines()[0]
                raise ValueError(
                    f"the device {name!r} does not work here ({reason}): leave --device out to use one that does"
                ) from error
    return torch.device("cpu")


def choose_precision(device: torch.device) -> str:
    """Return "bf16" where the device multiplies bfloat16 in hardware, else "fp32"."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu":
        return "bf16" if torch.cpu.get_capabilities().get("avx512_bf16", False) else "fp32"
    return "fp32"

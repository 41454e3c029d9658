"""Why a network answered as it did: what in the frame counted, and what each layer made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

SAMPLES = 16        # noisy copies whose gradients are averaged (SmoothGrad: Smilkov et al., 2017)
NOISE = 0.15        # of full scale
BLUR = 0.8          # frame pixels; standard deviation


def saliency(model: Any, frame: np.ndarray, winner: int) -> np.ndarray:
    """Return float32 (28, 28) in [0, 1]: how much each pixel of `frame` moved the logit of class `winner`.

    The gradient times the ink, averaged over noisy copies. Raises ValueError for a network without gradients.
    """
    generator = torch.Generator().manual_seed(0)
    frames = torch.from_numpy(np.ascontiguousarray(frame, np.float32)).expand(SAMPLES, 1, *frame.shape)
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    images = (frames + NOISE * torch.randn(frames.shape, generator=generator)).to(device).requires_grad_()
    logits = model(images)
    if not logits.requires_grad:
        raise ValueError("this model gives no gradient: the heat map needs one that train.py wrote")
    (gradient,) = torch.autograd.grad(logits[:, winner].sum(), images)
    heat = gradient.mean(dim=0)[0].abs().cpu().numpy() * frame
    heat = ndimage.gaussian_filter(heat, BLUR)
    return (heat / max(float(heat.max()), 1e-9)).astype(np.float32)


def feature_maps(model: Any, frame: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return (layer name, maps (C, H, W) in [0, 1]) for each convolution that looks at neighbours, in the order it is reached."""
    found: list[tuple[str, np.ndarray]] = []

    def keep(name: str) -> Any:
        def hook(module: Any, inputs: Any, output: Tensor) -> None:
            maps = output.detach()[0].relu().float().cpu().numpy()
            found.append((name, maps / max(float(maps.max()), 1e-9)))
        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in model.named_modules()
             if isinstance(module, torch.nn.Conv2d) and module.kernel_size != (1, 1)]
    try:
        with torch.inference_mode():
            device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
            model(torch.from_numpy(np.ascontiguousarray(frame, np.float32))[None, None].to(device))
    finally:
        for hook in hooks:
            hook.remove()
    return found

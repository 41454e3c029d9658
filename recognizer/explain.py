"""Why a network answered as it did: what in the frame counted, and what each layer made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from base.devices import need_torch

if TYPE_CHECKING:
    from torch import Tensor

SAMPLES = 16  # noisy copies whose gradients are averaged (SmoothGrad: Smilkov et al., 2017)
NOISE = 0.15  # of full scale
BLUR = 0.8  # frame pixels; standard deviation
BRIGHT = (
    0.995  # of a layer's values lie below what its maps show as white, or a spike would leave the rest black
)


def saliency(model: Any, frame: np.ndarray, winner: int) -> np.ndarray:
    """Return float32 (H, W) in [0, 1]: how much each pixel of `frame` (H, W[, 3]) moved the logit of class `winner`.

    The gradient, averaged over noisy copies, times the ink where the frame is ink. Raises ValueError for a network
    without gradients, and without torch.
    """
    need_torch("the heat map")
    import torch

    image = _as_image(model, frame)
    noise = torch.randn((SAMPLES, *image.shape[1:]), generator=torch.Generator().manual_seed(0)).to(
        image.device
    )
    images = (image + NOISE * noise).requires_grad_()
    logits = model(images)
    if not getattr(logits, "requires_grad", False):
        raise ValueError("this model gives no gradient: the heat map needs one that train.py wrote")
    (gradient,) = torch.autograd.grad(logits[:, winner].sum(), images)
    heat = gradient.mean(dim=0).abs().sum(dim=0).cpu().numpy()
    heat = ndimage.gaussian_filter(heat * frame if frame.ndim == 2 else heat, BLUR)
    return (heat / max(float(heat.max()), 1e-9)).astype(np.float32)


def feature_maps(model: Any, frame: np.ndarray) -> list[np.ndarray]:
    """Return the maps (C, H, W), in [0, 1], of each convolution wider than a pixel, in the order it is reached."""
    found: list[np.ndarray] = []
    if not hasattr(model, "modules"):  # of torch's kind
        return found
    import torch

    def keep(module: Any, inputs: Any, output: Tensor) -> None:
        maps = output.detach()[0].relu().float().cpu().numpy()
        found.append(
            np.clip(maps / max(float(np.quantile(maps, BRIGHT)), 0.2 * float(maps.max()), 1e-9), 0, 1)
        )

    hooks = [
        module.register_forward_hook(keep)
        for module in model.modules()
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size != (1, 1)
    ]
    try:
        with torch.inference_mode():
            model(_as_image(model, frame))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _as_image(model: Any, frame: np.ndarray) -> Tensor:
    """Return a frame as the network takes it, (1, C, H, W), where its weights are."""
    import torch

    weights = model.parameters() if hasattr(model, "parameters") else ()
    device = next((weight.device for weight in weights), torch.device("cpu"))
    channels = frame[None] if frame.ndim == 2 else frame.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(channels, np.float32))[None].to(device)

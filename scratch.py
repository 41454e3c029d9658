r"""A neural network written by hand: tensors, additions and products, no autograd and no ready-made layer.

What it computes.  An image of 28 x 28 pixels is a row x of 784 numbers, a batch of N images a matrix x (N, 784).
A layer with weights W (in, out) and bias b (out,) makes of it

    z = x W + b                                   each output is a weighted sum of all inputs
    a = relu(z) = max(z, 0)                       without this bend, two layers would be no more than one

and three such layers, 784 -> 256 -> 128 -> 10, the last without relu, end in ten numbers z: the logits. Softmax
turns them into probabilities p, positive and with sum 1:

    p_k = exp(z_k) / sum_j exp(z_j)               the same if a constant is taken from every z; the largest
                                                  is taken, so that exp never overflows

How wrong it is.  With t the wanted probabilities (1 for the true digit, 0 elsewhere, or smoothed a little), the
cross-entropy of one image is

    L = - sum_k t_k log p_k,   log p_k = z_k - log sum_j exp(z_j)

and the loss is its mean over the N images. It is 0 only if the network is sure and right; guessing costs log 10 = 2.3.

How to get better.  If we know how the loss changes with each weight, dL/dW, we step a little against it. The chain
rule gives these gradients from the last layer to the first. Write d_z for dL/dz, the matrix of gradients with the shape of z.

    1. softmax and cross-entropy      d_z = (p - t) / N
         since dL/dz_k = - sum_j t_j (dlog p_j / dz_k) = - sum_j t_j ([j = k] - p_k) = p_k - t_k  as sum t = 1
    2. a layer z = x W + b            d_W = x^T d_z,   d_b = sum over the batch of d_z,   d_x = d_z W^T
         since z_no = sum_i x_ni W_io + b_o: W_io meets every image n through x_ni; x_ni meets every output o through W_io
    3. relu a = max(z, 0)             d_z = d_a where z > 0, else 0
         a straight line of gradient 1 above zero passes the gradient on; a constant passes nothing

Then momentum: v <- m v + d_W, W <- W - rate v. The velocity v is a running sum of gradients: steps that agree add up,
steps that contradict cancel.

Where it starts.  Weights are drawn at random with variance 2 / in (He et al., "Delving Deep into Rectifiers", 2015):
relu halves the signal's power at each layer, the 2 makes up for it, and the logits begin neither vanishing nor huge.

The class below is that, line by line. It is trained by the same loop as the other networks (trainer.train), which hands
it images and wanted probabilities, and lives in the same checkpoint, since it gives and takes a state_dict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

LAYERS = (784, 256, 128)  # inputs, then the hidden layers
PIXEL_MEAN, PIXEL_STD = 0.1307, 0.3081  # of MNIST's training images


class ScratchNet:
    """A fully connected network with relu. Images (N, ...) are flattened; logits (N, classes) come out."""

    def __init__(self, layers: Sequence[int] = LAYERS, classes: int = 10) -> None:
        sizes = [*layers, classes]
        self.weights = [
            torch.empty(n_in, n_out).normal_() * math.sqrt(2 / n_in) for n_in, n_out in zip(sizes, sizes[1:])
        ]
        self.biases = [torch.zeros(n_out) for n_out in sizes[1:]]
        self.gradients = [torch.zeros_like(parameter) for parameter in self.parameters()]  # dL/d(parameter)
        self.training = True

    # ------------------------------------------------------------------------------ the mathematics

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, classes) of images in [0, 1]."""
        return self._activations(images)[-1]

    def backward(self, images: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """Fill `gradients` for images and their wanted probabilities (N, classes); return (loss, logits)."""
        *inputs, logits = self._activations(images)  # inputs[i] (N, in) is what layer i was given
        probs, log_probs = softmax(logits)
        loss = -(wanted * log_probs).sum(1).mean()
        d_z = (probs - wanted) / len(probs)  # step 1
        last = len(self.weights) - 1
        for i in range(last, -1, -1):
            self.gradients[i] = inputs[i].T @ d_z  # step 2: d_W (in, out)
            self.gradients[last + 1 + i] = d_z.sum(0)  # step 2: d_b (out,)
            if i > 0:
                d_x = d_z @ self.weights[i].T  # step 2: (N, in)
                d_z = d_x * (inputs[i] > 0)  # step 3: inputs[i] is relu's output, positive where z was
        return loss, logits

    def _activations(self, images: Tensor) -> list[Tensor]:
        return self.compute(images, self.weights, self.biases)

    @staticmethod
    def compute(images: Tensor, weights: list[Tensor], biases: list[Tensor]) -> list[Tensor]:
        """Return what each layer is given, then the logits: [x, a1, a2, z3]."""
        values = [(images.flatten(1) - PIXEL_MEAN) / PIXEL_STD]
        for weight, bias in zip(weights[:-1], biases[:-1]):
            values.append((values[-1] @ weight + bias).clamp(min=0))
        values.append(values[-1] @ weights[-1] + biases[-1])
        return values

    # ------------------------------------------------------------------------------ life in the program

    __call__ = forward

    def parameters(self) -> list[Tensor]:
        """Return the weights, then the biases; writing into them changes the network."""
        return [*self.weights, *self.biases]

    def features(self, images: Tensor) -> Tensor:
        """Return what the last layer is given (N, in)."""
        return self._activations(images)[-2]

    def last_layer(self) -> tuple[Tensor, Tensor]:
        """Return (weight (classes, in), bias (classes,)) of the last layer; writing into them changes the network."""
        return self.weights[-1].T, self.biases[-1]

    def state_dict(self) -> dict[str, Tensor]:
        """Return the parameters by name: weight1, bias1, weight2, ..."""
        names = [f"{kind}{i + 1}" for kind in ("weight", "bias") for i in range(len(self.weights))]
        return dict(zip(names, self.parameters()))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take parameters over; raises KeyError for other names, ValueError for other shapes."""
        own = self.state_dict()
        if set(state) != set(own):
            raise KeyError(f"expected the weights {', '.join(own)}")
        for name, parameter in own.items():
            if state[name].shape != parameter.shape:
                raise ValueError(
                    f"{name} has the shape {tuple(state[name].shape)}, not {tuple(parameter.shape)}"
                )
        for name, parameter in own.items():
            parameter.copy_(state[name])

    def to(self, *where: Any) -> ScratchNet:
        """Move to a device or dtype."""
        self.weights = [weight.to(*where) for weight in self.weights]
        self.biases = [bias.to(*where) for bias in self.biases]
        self.gradients = [gradient.to(*where) for gradient in self.gradients]
        return self

    def train(self, training: bool = True) -> ScratchNet:
        self.training = training  # no layer here behaves otherwise in training
        return self

    def eval(self) -> ScratchNet:
        return self.train(False)

    def __str__(self) -> str:
        lines = [f"{'layer':<28}{'output':>12}{'parameters':>12}"]
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases), 1):
            kind = "linear, relu" if i < len(self.weights) else "linear"
            lines.append(
                f"{i}: {kind:<25}{str((len(bias),)):>12}{weight.numel() + bias.numel():>12,}".replace(
                    ",)", ")"
                )
            )
        total = sum(parameter.numel() for parameter in self.parameters())
        return "\n".join([*lines, f"{'total':<40}{total:>12,}", f"{'size':<40}{4 * total / 1e6:>9.2f} MB"])


class Momentum:
    """Gradient descent with momentum by hand, in the shape of torch's optimizers.

    `decay` pulls every weight matrix (no bias) towards zero by rate * decay of itself at each step.
    """

    def __init__(self, network: ScratchNet, rate: float, momentum: float = 0.9, decay: float = 0.0) -> None:
        self.network, self.momentum, self.decay = network, momentum, decay
        self.param_groups: list[dict[str, Any]] = [{"lr": rate}]
        self.velocities = [torch.zeros_like(parameter) for parameter in network.parameters()]

    def step(self) -> None:
        """Step against the gradients: v <- m v + gradient, W <- W - rate v."""
        rate = self.param_groups[0]["lr"]
        for parameter, gradient, velocity in zip(
            self.network.parameters(), self.network.gradients, self.velocities
        ):
            velocity.mul_(self.momentum).add_(gradient)
            if parameter.ndim > 1:
                parameter.mul_(1 - rate * self.decay)
            parameter.sub_(rate * velocity)

    def state_dict(self) -> dict[str, Any]:
        return {"velocities": self.velocities}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if [own.shape for own in self.velocities] != [given.shape for given in state["velocities"]]:
            raise ValueError("velocities of other weights")
        for own, given in zip(self.velocities, state["velocities"]):
            own.copy_(given)


def softmax(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return (probabilities, their logarithms), both (N, classes), without overflow for any finite logits."""
    shifted = logits - logits.amax(1, keepdim=True)
    exponentials = shifted.exp()
    total = exponentials.sum(1, keepdim=True)
    return exponentials / total, shifted - total.log()

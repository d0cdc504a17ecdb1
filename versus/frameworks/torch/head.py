"""The classifier's head in PyTorch: Linear(hidden), ReLU, Linear(classes), trained by Adam."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from versus.artifacts import heads
from versus.artifacts.heads import LAYERS


class UncorrectedAdam(torch.optim.Optimizer):
    """Take the step of keras.optimizers.Adam, and of torch.optim.Adam in 2018: epsilon stands at the uncorrected root.

    That is "epsilon hat" of Kingma & Ba 2015, section 2.1. Keras's `ops.cast` rounds the betas to float32 before their
    powers are taken, at any precision: so does this with `rounded_betas`.
    Source: keras/src/optimizers/adam.py, update_step; PyTorch 0.4.1, torch/optim/adam.py, Adam.step.
    """

    def __init__(self, parameters, lr, betas=(0.9, 0.999), *, eps, rounded_betas):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "rounded_betas": rounded_betas})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                self._update(parameter, group)

    def _update(self, parameter, group):
        state, gradient = self.state[parameter], parameter.grad
        if not state:
            state.update(step=0, m=torch.zeros_like(parameter), v=torch.zeros_like(parameter))
        state["step"] += 1
        m, v = state["m"], state["v"]
        m.lerp_(gradient, 1 - group["betas"][0])
        v.lerp_(gradient * gradient, 1 - group["betas"][1])
        rate = self._rate(group, state["step"], parameter.dtype)
        parameter.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-rate)

    def _rate(self, group, step, dtype):
        """Return the learning rate, corrected for the bias of both moments."""
        number, betas = float, group["betas"]
        if group["rounded_betas"]:
            number, betas = torch.empty((), dtype=dtype).numpy().dtype.type, map(np.float32, betas)
        power_1, power_2 = (number(beta) ** number(step) for beta in betas)
        return float(number(group["lr"]) * np.sqrt(1 - power_2) / (1 - power_1))


ADAMS = {
    "uncorrected_1e-7": lambda parameters, rate: UncorrectedAdam(parameters, rate, eps=1e-7, rounded_betas=True),
    "uncorrected_1e-8": lambda parameters, rate: UncorrectedAdam(parameters, rate, eps=1e-8, rounded_betas=False),
    "corrected_1e-8": lambda parameters, rate: torch.optim.Adam(parameters, rate, eps=1e-8, fused=True),
}


def build(widths: list[int]) -> nn.Module:
    """Build the head for features (n, widths[0]): logits (n, widths[2])."""
    hidden, output = nn.Linear(widths[0], widths[1]), nn.Linear(widths[1], widths[2])
    head = nn.Sequential()
    head.add_module(LAYERS[0], hidden)
    head.add_module("relu", nn.ReLU())
    head.add_module(LAYERS[1], output)
    return head


class Head:
    """The head with weights yet to be set."""

    def __init__(self, widths: list[int]):
        self.widths = widths
        self.head = build(widths)

    def reset(self, weights: heads.Head) -> None:
        """Set the weights: for each layer a kernel (inputs, outputs) and a bias (outputs,)."""
        tensors = [tensor for kernel, bias in weights for tensor in (kernel.T, bias)]
        with torch.no_grad():
            for parameter, tensor in zip(self.head.parameters(), tensors):
                parameter.copy_(torch.from_numpy(tensor))

    @torch.no_grad()
    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute probabilities (n, classes) from features (n, width)."""
        return self.head(torch.from_numpy(np.array(features))).softmax(1).numpy()

    def weights(self) -> heads.Head:
        """Return copies of the weights, laid out as `reset` takes them."""
        kernel_1, bias_1, kernel_2, bias_2 = (parameter.detach().numpy().copy() for parameter in self.head.parameters())
        return [(np.ascontiguousarray(kernel_1.T), bias_1), (np.ascontiguousarray(kernel_2.T), bias_2)]


class Trainer(Head):
    """The head with its optimizer, for one training run after the other."""

    def __init__(self, widths: list[int], learning_rate: float, adam: str):
        super().__init__(widths)
        self.loss = nn.CrossEntropyLoss()
        self._new_optimizer = lambda: ADAMS[adam](self.head.parameters(), learning_rate)

    def reset(self, weights: heads.Head) -> None:
        """Start a training run from `weights`, laid out as in `Head.reset`."""
        super().reset(weights)
        self.optimizer = self._new_optimizer()

    def step(self, features: np.ndarray, labels: np.ndarray) -> float:
        """Take one step of Adam on a batch, features (n, width), labels (n,); return the loss before it."""
        self.optimizer.zero_grad()
        loss = self.loss(self.head(torch.from_numpy(features)), torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()


if TYPE_CHECKING:  # the loops of `training` and `prediction` need these, and get them through `modules`, untyped
    from versus.frameworks import prediction, training
    _trainer: type[training.Trainer] = Trainer
    _head: type[prediction.Predictor] = Head

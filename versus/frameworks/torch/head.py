"""The classifier's head in PyTorch: Linear(hidden), ReLU, Linear(classes), trained by Adam."""

import numpy as np
import torch
from torch import nn

from versus.frameworks.training import LAYERS


class UncorrectedAdam(torch.optim.Optimizer):
    """Step as keras.optimizers.Adam ("epsilon hat", Kingma & Ba 2015, section 2.1): epsilon joins the root as is.

    Its powers are of betas rounded to float32, whatever the precision, as Keras's `ops.cast` leaves them.
    Source: keras/src/optimizers/adam.py, update_step.
    """

    def __init__(self, parameters, lr, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                self._update(parameter, group)

    def _update(self, parameter, group):
        state, gradient = self.state[parameter], parameter.grad
        if not state:
            state.update(step=0, m=torch.zeros_like(parameter), v=torch.zeros_like(parameter))
        state["step"] += 1
        number = torch.empty((), dtype=parameter.dtype).numpy().dtype.type
        power_1, power_2 = (number(np.float32(beta)) ** number(state["step"]) for beta in group["betas"])
        alpha = number(group["lr"]) * np.sqrt(1 - power_2) / (1 - power_1)
        m, v = state["m"], state["v"]
        m.add_((gradient - m) * (1 - group["betas"][0]))
        v.add_((gradient * gradient - v) * (1 - group["betas"][1]))
        parameter.sub_(m * float(alpha) / (v.sqrt() + group["eps"]))


ADAMS = {
    "uncorrected": lambda parameters, rate: UncorrectedAdam(parameters, rate, eps=1e-7),
    "corrected": lambda parameters, rate: torch.optim.Adam(parameters, rate, eps=1e-8),
}


def build(widths):
    """Build the head for features (n, widths[0]): logits (n, widths[2])."""
    hidden, output = nn.Linear(widths[0], widths[1]), nn.Linear(widths[1], widths[2])
    head = nn.Sequential()
    head.add_module(LAYERS[0], hidden)
    head.add_module("relu", nn.ReLU())
    head.add_module(LAYERS[1], output)
    return head


class Head:
    """The head with weights to be set."""

    def __init__(self, widths):
        self.widths = widths
        self.head = build(widths)

    def reset(self, weights):
        """Take `weights`: for each layer a kernel (inputs, outputs) and a bias (outputs)."""
        tensors = [tensor for kernel, bias in weights for tensor in (kernel.T, bias)]
        with torch.no_grad():
            for parameter, tensor in zip(self.head.parameters(), tensors):
                parameter.copy_(torch.from_numpy(tensor))

    @torch.no_grad()
    def probabilities(self, features):
        """Compute probabilities (n, classes) from features (n, width)."""
        return self.head(torch.from_numpy(np.array(features))).softmax(1).numpy()

    def weights(self):
        """Return copies of the weights, laid out as `reset` takes them."""
        kernel_1, bias_1, kernel_2, bias_2 = (parameter.detach().numpy().copy() for parameter in self.head.parameters())
        return [(np.ascontiguousarray(kernel_1.T), bias_1), (np.ascontiguousarray(kernel_2.T), bias_2)]


class Trainer(Head):
    """The head with its optimizer, for one training after the other."""

    def __init__(self, widths, learning_rate, adam):
        super().__init__(widths)
        self.loss = nn.CrossEntropyLoss()
        self._new_optimizer = lambda: ADAMS[adam](self.head.parameters(), learning_rate)

    def reset(self, weights):
        """Start a training from `weights`, laid out as in `Head.reset`."""
        super().reset(weights)
        self.optimizer = self._new_optimizer()

    def step(self, features, labels):
        """Take one step of Adam on a batch, features (n, width), labels (n,); return the loss before it."""
        self.optimizer.zero_grad()
        loss = self.loss(self.head(torch.from_numpy(features)), torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()

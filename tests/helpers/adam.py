"""The formulas of Adam in float64 numpy, the oracle for every framework's optimizers, and gradients to try them on."""

import numpy as np

RATE = 1e-3


def gradients(steps=200):
    """Draw the gradients of 7 parameters, of which each is ten times larger than the one before: (steps, 7)."""
    return np.random.default_rng(0).normal(size=(steps, 7)) * np.logspace(-6, 0, 7)


def corrected(start, gradients, epsilon=1e-8):
    """Take the steps of Adam as torch.optim.Adam documents it."""
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
    return w


def uncorrected(start, gradients, epsilon=1e-7, rounded=np.float32):
    """Take the steps of Adam as keras/src/optimizers/adam.py writes it.

    For their powers Keras casts the betas to float32, whatever the precision.
    """
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = m + (g - m) * (1 - 0.9), v + (g * g - v) * (1 - 0.999)
        alpha = RATE * np.sqrt(1 - float(rounded(0.999)) ** t) / (1 - float(rounded(0.9)) ** t)
        w = w - m * alpha / (np.sqrt(v) + epsilon)
    return w


def uncorrected_2018(start, gradients):
    """Take the steps of Adam as torch/optim/adam.py of PyTorch 0.4.1 wrote it."""
    return uncorrected(start, gradients, 1e-8, float)


# by the value of the convention `adam`
FORMULAS = {"corrected_1e-8": corrected, "uncorrected_1e-7": uncorrected, "uncorrected_1e-8": uncorrected_2018}

"""The classifier's head in Keras: Dense(hidden, relu), Dense(classes, softmax), trained by Adam."""

from typing import TYPE_CHECKING

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from versus.artifacts import heads
from versus.artifacts.heads import LAYERS


class TorchAdam(keras.optimizers.Adam):
    """Take the step of torch.optim.Adam: epsilon is added to the corrected root, or to the uncorrected one, as in 2018.

    The first is algorithm 1 of Kingma & Ba 2015, the second their section 2.1. The factors are computed from Python
    floats, as in PyTorch: `ops.cast` would round the betas to float32.
    Source: torch/optim/adam.py, _single_tensor_adam; of PyTorch 0.4.1: Adam.step.
    """

    def __init__(self, rate, epsilon, corrected):
        super().__init__(rate, epsilon=epsilon)
        self.rate, self.corrected = rate, corrected

    def update_step(self, gradient, variable, learning_rate):
        steps = tf.cast(self.iterations + 1, tf.float64)
        beta_1, beta_2 = (tf.constant(beta, tf.float64) for beta in (self.beta_1, self.beta_2))
        step = ops.cast(tf.constant(self.rate, tf.float64) / (1 - beta_1**steps), variable.dtype)
        root = ops.cast(tf.sqrt(1 - beta_2**steps), variable.dtype)
        m, v = (moments[self._get_variable_index(variable)] for moments in (self._momentums, self._velocities))
        m.assign(m + (gradient - m) * (1 - self.beta_1))
        v.assign(v * self.beta_2 + gradient * gradient * (1 - self.beta_2))
        if self.corrected:
            variable.assign(variable - step * m / (ops.sqrt(v) / root + self.epsilon))
        else:
            variable.assign(variable - step * root * m / (ops.sqrt(v) + self.epsilon))


ADAMS = {
    "uncorrected_1e-7": lambda rate: keras.optimizers.Adam(rate, epsilon=1e-7),
    "uncorrected_1e-8": lambda rate: TorchAdam(rate, epsilon=1e-8, corrected=False),
    "corrected_1e-8": lambda rate: TorchAdam(rate, epsilon=1e-8, corrected=True),
}


def build(widths: list[int]) -> keras.Model:
    """Build the head for features (n, widths[0]): probabilities (n, widths[2])."""
    return keras.Sequential([keras.Input((widths[0],), name="features"),
                             layers.Dense(widths[1], activation="relu", name=LAYERS[0]),
                             layers.Dense(widths[2], activation="softmax", name=LAYERS[1])], name="head")


class Head:
    """The head with weights yet to be set, compiled once."""

    def __init__(self, widths: list[int]):
        self.widths = widths
        self.head = build(widths)
        self.features = tf.TensorSpec((None, widths[0]), keras.config.floatx())
        self._probabilities = tf.function(self.head, input_signature=[self.features])

    def reset(self, weights: heads.Head) -> None:
        """Set the weights: for each layer a kernel (inputs, outputs) and a bias (outputs,)."""
        self.head.set_weights([tensor for pair in weights for tensor in pair])

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Compute probabilities (n, classes) from features (n, width)."""
        return self._probabilities(np.asarray(features)).numpy()

    def weights(self) -> heads.Head:
        """Return copies of the weights, laid out as `reset` takes them."""
        kernel_1, bias_1, kernel_2, bias_2 = self.head.get_weights()
        return [(kernel_1, bias_1), (kernel_2, bias_2)]


class Trainer(Head):
    """The head with its optimizer, for one training run after the other.

    The loss of probabilities equals that of logits to the bit: Keras looks up the logits behind its softmax.
    """

    def __init__(self, widths: list[int], learning_rate: float, adam: str):
        super().__init__(widths)
        self.loss = keras.losses.SparseCategoricalCrossentropy()
        self.optimizer = ADAMS[adam](learning_rate)
        self.optimizer.build(self.head.trainable_variables)
        labels = tf.TensorSpec((None,), "int64")
        self._step = tf.function(self._take_step, input_signature=[self.features, labels])

    def reset(self, weights: heads.Head) -> None:
        """Start a training run from `weights`, laid out as in `Head.reset`."""
        super().reset(weights)
        for variable in self.optimizer.variables:
            if variable is not self.optimizer.learning_rate:
                variable.assign(ops.zeros_like(variable))

    def step(self, features: np.ndarray, labels: np.ndarray) -> float:
        """Take one step of Adam on a batch, features (n, width), labels (n,); return the loss before it."""
        return float(self._step(features, labels))

    def _take_step(self, features, labels):
        with tf.GradientTape() as tape:
            loss = self.loss(labels, self.head(features, training=True))
        gradients = tape.gradient(loss, self.head.trainable_variables)
        self.optimizer.apply(gradients, self.head.trainable_variables)
        return loss


if TYPE_CHECKING:  # the loops of `training` and `prediction` need these, and get them through `modules`, untyped
    from versus.frameworks import prediction, training
    _trainer: type[training.Trainer] = Trainer
    _head: type[prediction.Predictor] = Head

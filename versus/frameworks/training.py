"""Trainings of the head from kept features: the loop that both frameworks' trainers step through."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import normalize
from tqdm import tqdm

from versus.recipe import draws

LAYERS = ("hidden", "output")


@dataclass(frozen=True)
class Trained:
    """One trained head. weights: for each layer kernel (inputs, outputs) and bias (outputs). losses: (steps,).

    probabilities: of the validation images after each epoch, (epochs, images, classes).
    """

    weights: list
    losses: np.ndarray
    probabilities: np.ndarray


def fit(trainer, first, epochs, features, labels):
    """Train one head from its `first` weights over `epochs`, lists of batches of rows of (views * images) features."""
    rows = features.train.reshape(-1, features.train.shape[-1])
    labels = np.tile(labels, len(features.train))
    trainer.reset(first)
    losses, probabilities = [], []
    for epoch, batches in enumerate(epochs):
        losses += [trainer.step(rows[batch], labels[batch]) for batch in batches]
        kept = min(epoch, len(features.validation) - 1)  # past the last view the running statistics stay where they are
        probabilities.append(trainer.probabilities(features.validation[kept]))
    return Trained(trainer.weights(), np.array(losses), np.stack(probabilities))


def fit_seeds(trainer, params, conventions, features, labels, label, reverse=False):
    """Train `train.seeds` heads, one after the other; return a list of `Trained`.

    With `reverse` the rows of each batch come in reverse: the same sums in another order, so what differs is rounding.
    """
    images = features.train.shape[1]
    batches = draws.batches(params.extract, images) if conventions.batch_norm == "batch" else None
    trained = []
    for seed in tqdm(range(params.train.seeds), desc=label, unit="seed", disable=None if label else True):
        if batches:
            epochs = draws.steps_by_batch(seed, params.train, batches)
        else:
            epochs = draws.steps(seed, params.train, len(features.train), images)
        if reverse:
            epochs = [[batch[::-1] for batch in batches_of_epoch] for batches_of_epoch in epochs]
        first = draws.first_weights(seed, trainer.widths, conventions.head_init)
        trained.append(fit(trainer, first, epochs, features, labels))
    return trained


def save_heads(trained, path):
    """Write all heads as safetensors: seed0.hidden.kernel (inputs, outputs), seed0.hidden.bias (outputs) and so on."""
    save_file({f"seed{seed}.{layer}.{part}": np.ascontiguousarray(tensor)
               for seed, one in enumerate(trained)
               for layer, pair in zip(LAYERS, one.weights)
               for part, tensor in zip(("kernel", "bias"), pair)}, path)


def read_heads(path):
    """Read what `save_heads` wrote: for each seed a list of (kernel, bias)."""
    tensors = load_file(path)
    seeds = range(len(tensors) // (2 * len(LAYERS)))
    return [[(tensors[f"seed{seed}.{layer}.kernel"], tensors[f"seed{seed}.{layer}.bias"]) for layer in LAYERS]
            for seed in seeds]


def fit_combinations(new_trainer, params, combinations, banks, read, train):
    """Train the heads of all seeds for each of the combinations of conventions, a list of `Resolved`.

    `banks` names each combination's bank of features, which `read` returns as `Features`; combinations that share
    bank, first weights and Adam are trained once. `new_trainer` is either framework's `Trainer`. Returns the
    validation probabilities after the last epoch, (combinations, seeds, images, classes) of sum 1 in float64.
    """
    kinds = [(bank, each.head_init, each.adam) for bank, each in zip(banks, combinations)]
    trainers, found = {}, {}
    for kind, followed in tqdm(dict(zip(kinds, combinations)).items(), desc="combinations", disable=None):
        features = read(kind[0])
        if followed.adam not in trainers:
            widths = [features.train.shape[2], params.model.hidden, len(train.classes)]
            trainers[followed.adam] = new_trainer(widths, params.train.learning_rate, followed.adam)
        trained = fit_seeds(trainers[followed.adam], params, followed, features, train.labels, None)
        found[kind] = np.array([one.probabilities[-1] for one in trained], np.float64)
    of_all = np.stack([found[kind] for kind in kinds])
    return of_all / of_all.sum(axis=3, keepdims=True)


def widths(weights):
    """The widths of a head's layers from the weights of its seeds: [inputs, hidden, classes]."""
    return [weights[0][0][0].shape[0], *(kernel.shape[1] for kernel, _ in weights[0])]


def save_record(trained, path):
    """Write losses (seeds, steps) and the last validation probabilities (seeds, images, classes) as safetensors."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file({"losses": np.stack([one.losses for one in trained]),
               "probabilities": np.stack([one.probabilities[-1] for one in trained])}, path)


def read_trained(heads, record):
    """Read what `save_heads` and `save_record` wrote: a list of `Trained`, probabilities after the last epoch alone."""
    kept = load_file(record)
    return [Trained(weights, losses, probabilities[None])
            for weights, losses, probabilities in zip(read_heads(heads), kept["losses"], kept["probabilities"])]


def predict_seeds(head, weights, features):
    """Compute the probabilities of each seed's weights: (seeds, images, classes)."""
    found = []
    for of_seed in weights:
        head.reset(of_seed)
        found.append(head.probabilities(features))
    return np.stack(found)


def save_curves(trained, labels, path):
    """Write the learning curves, means over the seeds: epoch, train_loss, validation_loss, validation_accuracy."""
    classes = range(trained[0].probabilities.shape[2])
    rows = []
    for epoch in range(len(trained[0].probabilities)):
        validation = [normalize(one.probabilities[epoch].astype(float), norm="l1") for one in trained]
        rows.append({
            "epoch": epoch + 1,
            "train_loss": np.mean([np.array_split(one.losses, len(one.probabilities))[epoch] for one in trained]),
            "validation_loss": np.mean([log_loss(labels, p, labels=classes) for p in validation]),
            "validation_accuracy": np.mean([accuracy_score(labels, p.argmax(1)) for p in validation]),
        })
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)

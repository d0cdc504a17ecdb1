"""Predictions of made-up classifiers: as objects, as rows of a file, and as simulations whose truth is known."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from versus.artifacts import predictions_csv
from versus.artifacts.predictions import Predictions
from versus.evaluation.intervals import equivalence_interval, interval, studentised, variance_components

NAMES = ("alien", "predator", "robot", "ship", "star")
COMPARISONS = 1000
MONTE_CARLO = 2 * np.sqrt(0.05 * 0.95 / COMPARISONS)


def predictions_of(probabilities, labels, names=NAMES):
    """Make predictions of (seeds, images, classes) probabilities and (images,) labels."""
    names = tuple(names[:probabilities.shape[2]])
    files = tuple(f"{names[label]}/{image:03}.jpg" for image, label in enumerate(labels))
    return Predictions(tuple(range(len(probabilities))), files, names, np.asarray(labels), np.asarray(probabilities))


def predictions_of_two_classes(own, labels):
    """Make predictions of the (seeds, images) probabilities that each image's true class is given."""
    return predictions_of(np.where(np.equal(labels, 1)[:, None], np.stack([1 - own, own], -1),
                                   np.stack([own, 1 - own], -1)), labels)


def draw_predictions(seeds, images, classes, skill=1.5, rng=0, names=NAMES):
    """Draw predictions that are the better, the higher `skill`; `rng` is a generator or its seed."""
    labels = np.arange(images) % classes
    logits = np.random.default_rng(rng).normal(size=(seeds, images, classes))
    logits[:, np.arange(images), labels] += skill
    values = np.exp(logits)
    return predictions_of(values / values.sum(axis=2, keepdims=True), labels, names)


def draw_combinations(effects, seeds=6, images=300, seed=0):
    """Draw the predictions of all combinations, whose logits move by `effects`, with the same noise in each."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(seeds, images)) + generator.normal(size=images) * 2 + 1
    labels = generator.integers(2, size=images)
    bits = np.array([[index >> j & 1 for j in range(len(effects))] for index in range(2 ** len(effects))])
    own = 1 / (1 + np.exp(-(noise + (bits @ effects)[:, None, None])))  # (combinations, seeds, images)
    return [predictions_of_two_classes(of_combination, labels) for of_combination in own]


def rows_of(predictions):
    """Return the rows of a file of predictions, written independently of `predictions_csv.write`."""
    names = predictions.class_names
    parts = [pd.DataFrame({"seed": seed, "file": predictions.files,
                           "class": [names[label] for label in predictions.labels]}
                          | {f"p_{name}": of_seed[:, k] for k, name in enumerate(names)})
             for seed, of_seed in zip(predictions.seeds, predictions.probabilities)]
    return pd.concat(parts).sort_values(["seed", "file"])


class World:
    """Two simulated competitors whose true difference is known.

    The margin (log odds of the true class) that competitor c with seed s gives to image i, with all effects normal:

        margin[c, s, i] = skill[c] + 2 difficulty[i] + image_spread framework_image_effect[c, i]
                          + seed_spread seed_effect[c, s] + noise_spread noise[c, s, i]

    An image is classified correctly if its margin is positive; its log loss is log(1 + exp(-margin)). So the true
    accuracy is Phi(skill / total_spread), where total_spread^2 = 4 + image_spread^2 + seed_spread^2 + noise_spread^2,
    and the true log loss is an integral. With one seed the truth is that of the trained pair: seed_spread = 0.
    """

    def __init__(self, spreads, seeds, images, difference, accuracy=0.9):
        self.image_spread, seed_spread, self.noise_spread = spreads
        self.seed_spread = seed_spread * (seeds > 1)
        self.seeds, self.images, self.difference = seeds, images, difference
        self.total_spread = np.sqrt(4 + self.image_spread**2 + self.seed_spread**2 + self.noise_spread**2)
        self.skills = [ndtri(accuracy + sign * difference / 2) * self.total_spread for sign in (-1, 1)]

    def margins(self, rng, seeds, images):
        """Draw the margins of the one and of the other competitor, (seeds, images) each."""
        difficulty = rng.standard_normal(images)
        margins = []
        for skill in self.skills:
            framework_image_effect = rng.standard_normal(images)
            seed_effect = rng.standard_normal((seeds, 1))
            noise = rng.standard_normal((seeds, images))
            margins.append(skill + 2 * difficulty + self.image_spread * framework_image_effect
                           + self.seed_spread * seed_effect + self.noise_spread * noise)
        return margins

    def log_loss_difference(self):
        """Return the true difference in log loss."""
        points, weights = np.polynomial.hermite_e.hermegauss(200)
        losses = [weights @ log_losses(skill + self.total_spread * points) / weights.sum() for skill in self.skills]
        return losses[1] - losses[0]

    def intervals(self, score, seed=0):
        """Return the 95 % and the equivalence intervals of 1,000 comparisons, (comparisons, 4)."""
        rng, intervals = np.random.default_rng(seed), []
        for _ in range(COMPARISONS):
            one, other = (score(margins) for margins in self.margins(rng, self.seeds, self.images))
            variances = variance_components(other - one, np.ones(self.images) if score is correct else None)
            t_values = studentised(other - one, 300, rng)
            intervals.append(interval(variances, 0.95, t_values) + equivalence_interval(variances, t_values))
        return np.array(intervals)


def grouped_margins(rng, seeds, units, skill=2.6, difference=0.0):
    """Draw the margins of two competitors, (seeds, images) each, where the images of a unit have almost all in common.

    As those of a `World`, but difficulty and the competitors' own effects belong to the unit.
    """
    number, images = units.max() + 1, len(units)
    difficulty = 2 * rng.standard_normal(number)[units]
    return [skill + sign * difference / 2 + difficulty + 1.2 * rng.standard_normal(number)[units]
            + 0.2 * rng.standard_normal(images) + 0.2 * rng.standard_normal((seeds, 1))
            + 0.3 * rng.standard_normal((seeds, images)) for sign in (-1, 1)]


def correct(margins):
    return (margins > 0).astype(float)


def log_losses(margins):
    return np.logaddexp(0, -margins)


# spreads of images, seeds and noise
IMAGE, SEED, NOISE, MIXED = (1.5, 0.1, 0.5), (0.3, 1.5, 0.3), (0.2, 0.1, 1.5), (0.8, 0.4, 0.8)
NEAR = (0.2, 0.05, 0.2)  # competitors that differ in 3 % of the images


def written(rows, path):
    """Write rows of predictions, and read them."""
    rows.to_csv(path, index=False)
    return predictions_csv.read(path)

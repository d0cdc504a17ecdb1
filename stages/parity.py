"""Measure how far two competitors are apart, step by step: python -m stages.parity keras torch.

The heads are also compared alone (the second's trained on the first's features), and with a control: the second
against itself, each batch in reverse order.
"""

import sys

from versus import params
from versus.artifacts import features, heads, metrics
from versus.command import run
from versus.evaluation import parity
from versus.evaluation.parity import Run
from versus.frameworks import competitor, modules
from versus.frameworks.training import fit_seeds
from versus.images import dataset
from versus.recipe.conventions import differing, resolve


def main(first, second):
    settings, frameworks = params.load(), (competitor(first).framework, competitor(second).framework)
    runtime, head = modules(second, "runtime", "head")
    runtime.start(settings.compute, settings.train.precision)
    one, other = read(first), read(second)
    conventions = resolve(settings.conventions, frameworks[1])
    trainer = head.Trainer(heads.widths(other.heads[0].weights), settings.train.learning_rate, conventions.adam)
    labels = dataset.read("data/split", "train").labels
    same_features = fit_seeds(trainer, settings, conventions, one.features, labels, "heads alone")
    control = fit_seeds(trainer, settings, conventions, other.features, labels, "control", reverse=True)
    equal = settings.model.shared and not differing(settings.conventions, *frameworks)  # the same weights included
    metrics.write("metrics/parity.json", {
        "conventions": "equal" if equal else "different",
        **parity.measure(one, other),
        **prefixed("heads", parity.measure_heads(one.heads, same_features)),
        **prefixed("control", parity.measure_heads(control, other.heads)),
        "predictions": other.features.plain["validation"].shape[1] * len(other.heads),
    })


def prefixed(prefix, measured):
    return {f"{prefix}_{name}": value for name, value in measured.items()}


def read(name):
    return Run(features.read(f"data/features/{name}"),
               heads.read_trained(f"models/{name}/heads.safetensors", f"data/training/{name}.safetensors"))


if __name__ == "__main__":
    run(main, *sys.argv[1:])

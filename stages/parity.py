"""Measure how far the two frameworks are apart at each stage.

Once more with the heads alone, PyTorch's trained on Keras's features, and beside a control: PyTorch against itself.
"""

from versus.recipe import conventions
from versus.images import dataset
from versus.artifacts import features
from versus.evaluation import parity
from versus import params
from versus.frameworks.torch import runtime as runtime_torch
from versus.frameworks import training
from versus.command import run
from versus.artifacts.metrics import write_json
from versus.frameworks.torch.head import Trainer


def main():
    chosen = params.load()
    runtime_torch.start(chosen.compute, chosen.train.precision)
    keras, torch = (read(framework) for framework in params.FRAMEWORKS)
    followed = conventions.resolve(chosen.conventions, "torch")
    trainer = Trainer(training.widths([torch.heads[0].weights]), chosen.train.learning_rate, followed.adam)
    labels = dataset.read("data/split", "train").labels
    same = training.fit_seeds(trainer, chosen, followed, keras.features, labels, "heads alone")
    reversed_rows = training.fit_seeds(trainer, chosen, followed, torch.features, labels, "control", reverse=True)
    equal = chosen.model.shared and conventions.all_equal(chosen.conventions)
    write_json("metrics/parity.json", {
        "conventions": "equal" if equal else "different",  # weights included
        **parity.measure(keras, torch),
        **prefixed("heads", parity.measure_heads(keras.heads, same)),
        **prefixed("control", parity.measure_heads(reversed_rows, torch.heads)),
        "predictions": torch.features.validation.shape[1] * len(torch.heads),
    })


def prefixed(prefix, measured):
    return {f"{prefix}_{name}": value for name, value in measured.items()}


def read(framework):
    kept = features.read(f"data/features/{framework}")
    heads = training.read_trained(f"models/{framework}/heads.safetensors", f"data/training/{framework}.safetensors")
    return parity.Stages(kept.pixels, kept, heads)


if __name__ == "__main__":
    run(main)

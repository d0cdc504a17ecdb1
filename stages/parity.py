"""Measure how far two competitors are apart, step by step: python -m stages.parity keras torch.

Beside whole runs the heads are compared alone, trained on the same features, and the second competitor with itself (see
stage `controls`).
"""

import sys

from versus import params
from versus.artifacts import features, heads, metrics
from versus.command import run
from versus.evaluation import parity
from versus.frameworks import competitor
from versus.recipe.conventions import differing
from versus.report import results


def main(first, second):
    settings = params.load()
    resolved = [competitor(name).resolve(settings.conventions) for name in (first, second)]
    one, other = read(first), read(second)
    same_features, control = (
        heads.Recorded(f"data/controls/{name}/heads.safetensors", f"data/controls/{name}")
        for name in ("same_features", "reversed"))
    equal = settings.model.shared and not differing(*resolved)  # the same weights included
    metrics.write("metrics/details/parity.json", {
        "one": first, "other": second,
        "conventions": "equal" if equal else "different",
        "precision": settings.extract.precision,
        **parity.measure(one, other),
        **prefixed("heads", parity.measure_heads(one.heads, same_features)),
        **prefixed("control", parity.measure_heads(control, other.heads)),
        "predictions": other.features.plain["validation"].shape[1] * len(other.heads),
    }, digits=2)
    results.show_parity()


def prefixed(prefix, measured):
    return {f"{prefix}_{name}": value for name, value in measured.items()}


def read(name):
    return parity.Run(features.read(f"data/features/{name}"),
                      heads.Recorded(f"models/{name}/heads.safetensors", f"data/training/{name}"))


if __name__ == "__main__":
    run(main, *sys.argv[1:])

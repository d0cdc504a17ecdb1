"""The whole classifier in PyTorch, pixels to probabilities: assembled, saved, and read back with PyTorch alone."""

from pathlib import Path

import torch
from torch import nn

from versus import params
from versus.artifacts.features import Statistics
from versus.artifacts.heads import LAYERS, Head
from versus.frameworks.torch import backbone as backbones
from versus.frameworks.torch import head as heads
from versus.recipe.weights import Pretrained


class Classifier(nn.Module):
    """Backbone, heads, softmax and mean."""

    def __init__(self, backbone: nn.Module, heads: list[nn.Module], image_size: int):
        super().__init__()
        self.backbone, self.heads, self.image_size = backbone, nn.ModuleList(heads), image_size

    def forward(self, pixels):
        features = self.backbone(pixels)
        return torch.stack([head(features).softmax(1) for head in self.heads]).mean(0)


def assemble(model: params.Model, pretrained: Pretrained, statistics: Statistics, weights: list[Head],
             widths: list[int]) -> Classifier:
    """Join backbone and heads: pixels (n, 3, size, size), RGB, 0..255, to probabilities (n, classes), the heads' mean.

    `statistics` are batch norm's running ones where training changed them, `weights` each trained head's.
    """
    backbone = backbones.build(model, pretrained, "saved")
    backbones.set_statistics(backbone, statistics)
    modules = []
    for of_head in weights:
        modules.append(head := heads.build(widths))
        for layer, (kernel, bias) in zip(LAYERS, of_head):
            tensors = {"weight": torch.from_numpy(kernel.T), "bias": torch.from_numpy(bias)}
            head.get_submodule(layer).load_state_dict(tensors)
    return Classifier(backbone, modules, model.image_size).eval()


def save(classifier: Classifier, folder: str | Path) -> None:
    """Write classifier.pt2, a program that `torch.export.load` runs without the code that made it."""
    size = classifier.image_size
    example = torch.zeros(2, 3, size, size).contiguous(memory_format=torch.channels_last)
    program = torch.export.export(classifier, (example,), dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}})
    for node in program.graph.nodes:  # lines of the code that built it, with this machine's paths
        node.meta.pop("stack_trace", None)
    torch.export.save(program, Path(folder) / "classifier.pt2")


def load(folder: str | Path) -> tuple[nn.Module, nn.Module]:
    """Read classifier.pt2; return the classifier and, as a part of it, its backbone."""
    classifier = torch.export.unflatten(torch.export.load(Path(folder) / "classifier.pt2"))
    return classifier, classifier.get_submodule("backbone")

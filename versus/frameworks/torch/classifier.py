"""The whole classifier in PyTorch, pixels to probabilities: assembled, saved, and read back with PyTorch alone."""

from pathlib import Path

import torch
from torch import nn

from versus.frameworks.torch import backbone as backbone_torch
from versus.frameworks.torch import head as head_torch


class Classifier(nn.Module):
    """Backbone, head and softmax."""

    def __init__(self, backbone, head, side):
        super().__init__()
        self.backbone, self.head, self.side = backbone, head, side

    def forward(self, pixels):
        return self.head(self.backbone(pixels)).softmax(1)


def assemble(model, tensors, statistics, weights, widths):
    """Join backbone and head: pixels (n, 3, size, size), RGB, 0..255, to probabilities (n, classes).

    `statistics` are batch norm's running ones where training moved them, `weights` the trained head's.
    """
    backbone = backbone_torch.build(model, tensors, "frozen")
    backbone_torch.move(backbone, statistics)
    head = head_torch.build(widths)
    for layer, (kernel, bias) in zip((head.hidden, head.output), weights):
        layer.load_state_dict({"weight": torch.from_numpy(kernel.T), "bias": torch.from_numpy(bias)})
    return Classifier(backbone, head, model.image_size).eval()


def save(classifier, folder):
    """Write classifier.pt2, a program that `torch.export.load` runs without the code that made it."""
    side = classifier.side
    example = torch.zeros(2, 3, side, side).contiguous(memory_format=torch.channels_last)
    program = torch.export.export(classifier, (example,), dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}})
    for node in program.graph.nodes:  # the lines of code that made it, with this machine's paths
        node.meta.pop("stack_trace", None)
    torch.export.save(program, Path(folder) / "classifier.pt2")


def load(folder):
    """Read classifier.pt2; return the classifier and, as a part of it, its backbone."""
    classifier = torch.export.unflatten(torch.export.load(Path(folder) / "classifier.pt2"))
    return classifier, classifier.backbone

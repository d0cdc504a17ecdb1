"""Find the backbone's weights, once for all frameworks.

By the names, shapes and packages of PyTorch, whose published weights are the ones that are shared.
"""

import sys

from versus import params
from versus.command import run
from versus.frameworks.torch import backbone, pretrained
from versus.recipe.architectures import STRIDE
from versus.recipe.weights import Pretrained, save_pretrained


def main():
    model = params.load().model
    network = backbone.network(model.backbone, STRIDE)  # its tensors are the same for images of any size
    tensors = pretrained.find_weights(model, backbone.shapes(network))
    save_pretrained(Pretrained(tensors, model.shared), "models/backbone.safetensors")
    print(f"{model.backbone}, weights {model.weights}: {len(tensors)} tensors, "
          f"{sum(tensor.size for tensor in tensors.values()):,} numbers")


if __name__ == "__main__":
    run(main, *sys.argv[1:])

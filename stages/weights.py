"""Find the backbone's weights, once for both frameworks."""

from pathlib import Path

from safetensors.numpy import save_file

from versus.frameworks.torch import backbone as backbone_torch
from versus import params
from versus.command import run


def main():
    model = params.load().model
    tensors = backbone_torch.find_weights(model)
    Path("models").mkdir(exist_ok=True)
    save_file(tensors, "models/backbone.safetensors")
    print(f"{model.backbone}, weights {model.weights}: {len(tensors)} tensors, "
          f"{sum(tensor.size for tensor in tensors.values()):,} numbers")


if __name__ == "__main__":
    run(main)

"""PyTorch as the contract tests call it, with numpy arrays: the same names as in `adapters_keras`.

Pixels are (n, size, size, 3), RGB, 0..255.
"""

import hashlib
import math

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision import datasets, transforms
from torchvision.transforms import functional

from tests.helpers.adam import RATE
from tests.helpers.backbones import MODELS
from versus.frameworks.torch import backbone as backbones
from versus.frameworks.torch import pretrained
from versus.recipe.draws import VIEW

OWN_ADAM = torch.optim.Adam
SAVED = {"classifier.pt2"}
ALONE = """
import sys
import numpy as np
import torch
pixels = torch.from_numpy(np.load("pixels.npy")).permute(0, 3, 1, 2)
program = torch.export.load("classifier.pt2").module()
np.savez("probabilities.npz", whole=program(pixels).detach())
assert not {"versus", "timm", "torchvision", "tensorflow"} & set(sys.modules)
"""
CHECKSUM = ("sha256", "0676ba61")
OTHERWISE = "or use backbone efficientnet_lite0"


@torch.inference_mode()
def apply(model, pixels, training=False):
    """Call a backbone or classifier in inference or in training mode."""
    batch = tensor(pixels)
    return model.train(training)(batch.contiguous() if training else batch).numpy()  # layouts: see features.apply


def tensor(pixels):
    """Return pixels as PyTorch takes them: (n, 3, size, size)."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def around_first_batch_norm(backbone, pixels, training):
    """Apply Lite0; return what its first batch norm gets and gives, the latter after relu6."""
    seen = []
    norm, relu6 = backbone.network.bn1, backbone.network.bn1_relu6  # both write over what they get
    hooks = [norm.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].clone())),
             relu6.register_forward_hook(lambda layer, inputs, output: seen.append(output.clone()))]
    apply(backbone, pixels, training)
    for hook in hooks:
        hook.remove()
    return [each.permute(0, 2, 3, 1).numpy() for each in seen]


def batch_norms(backbone):
    return [layer for layer in backbone.modules() if isinstance(layer, nn.BatchNorm2d)]


def epsilon_and_momentum(layer):
    """Return both of a batch norm, the momentum as the share of the new batch."""
    return layer.eps, layer.momentum


def set_epsilon(layer, epsilon):
    layer.eps = epsilon


def run_adam(new_adam, start, gradients):
    """Take a step for each of the gradients (steps, parameters) from `start`; `new_adam` is one of `head.ADAMS`."""
    parameter = nn.Parameter(torch.from_numpy(start))
    optimizer = new_adam([parameter], RATE)
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient.astype(start.dtype))
        optimizer.step()
    return parameter.detach().numpy()


def own_layer(inputs, outputs):
    """Return kernel (inputs, outputs) and bias of the framework's own dense layer, as it initialises them."""
    torch.manual_seed(0)
    layer = nn.Linear(inputs, outputs)
    return layer.weight.detach().numpy().T, layer.bias.detach().numpy()


def own_images(folder, size, era):
    """Yield path and pixels of each image as the framework's own loader of <class>/* reads them."""
    del era  # both load alike: Pillow's decoder, its bilinear filter
    steps = transforms.Compose([transforms.Resize((size, size)), transforms.PILToTensor()])
    loader = datasets.ImageFolder(folder, steps)
    for (path, _), (image, _) in zip(loader.samples, loader):
        yield path, image.permute(1, 2, 0).numpy()


def own_augmented(image, view, era):
    """Augment an image as the framework's own loader would for a view, one of `draws.views`."""
    image = Image.fromarray(image.astype(np.uint8))
    image = AFFINES[era](image, view["zoom_x"], view["shear"])
    return np.asarray(functional.hflip(image) if view["flip"] else image)


def affine_2018(image, scale, shear):
    """Transform as torchvision 0.2.1, which cannot be installed beside today's: transforms/functional.py, affine.

    Quoted is `_get_inverse_affine_matrix(center, angle, translate, scale, shear)` for an angle and a translation of 0.
    """
    center = (image.size[0] * 0.5 + 0.5, image.size[1] * 0.5 + 0.5)
    angle, shear, scale = 0.0, math.radians(shear), 1.0 / scale
    d = math.cos(angle + shear) * math.cos(angle) + math.sin(angle + shear) * math.sin(angle)
    matrix = [math.cos(angle + shear), math.sin(angle + shear), 0, -math.sin(angle), math.cos(angle), 0]
    matrix = [scale / d * m for m in matrix]
    matrix[2] += matrix[0] * -center[0] + matrix[1] * -center[1]
    matrix[5] += matrix[3] * -center[0] + matrix[4] * -center[1]
    matrix[2] += center[0]
    matrix[5] += center[1]
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=0)


AFFINES = {"today": lambda image, scale, shear: functional.affine(image, 0, (0, 0), scale, (shear, 0)),
           2018: affine_2018}


def own_views(number, era):
    """Draw views as the framework's own augmentation does, of a shear up to 10 degrees and a zoom up to 0.2."""
    del era  # both draw alike
    torch.manual_seed(0)
    ranges = ([0, 0], None, [0.8, 1.2], [-10, 10], [96, 96])
    draws = [transforms.RandomAffine.get_params(*ranges) for _ in range(number)]
    return np.array([(shear, zoom, zoom, torch.rand(1) < 0.5) for _, _, zoom, (shear, _) in draws], VIEW)


def cache_of_imagenet(home, monkeypatch):
    """Make `home` the framework's own folder; return where in it the ImageNet weights of ResNet-50 belong."""
    monkeypatch.setenv("TORCH_HOME", str(home))
    return home / "hub/checkpoints/resnet50-0676ba61.pth"


def publish(folder, monkeypatch):
    """Publish a file of random weights in `folder` as if it were the one of ImageNet; return its path."""
    path = save_imagenet(folder / "saved.pth")
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    path = path.rename(folder / f"resnet50-{checksum}.pth")  # by PyTorch's custom
    published = torchvision.models.ResNet50_Weights.IMAGENET1K_V1
    monkeypatch.setattr(published, "_value_", published.value.__class__(
        url=path.as_uri(), transforms=published.transforms, meta=published.meta))
    return path


def save_imagenet(path):
    """Save random weights as the ImageNet weights are saved; return the path."""
    torch.save(torchvision.models.resnet50().state_dict(), path)
    return path


def fetch_imagenet():
    """Return the arrays of ResNet-50's ImageNet weights, downloaded if necessary."""
    model = MODELS["resnet50"].model_copy(update={"weights": "shared"})
    shapes = backbones.shapes(backbones.network(model.backbone, model.image_size))
    return list(pretrained.find_weights(model, shapes).values())

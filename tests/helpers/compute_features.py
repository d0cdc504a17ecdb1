"""Make Lite0's features of the sample's photographs, as many as Alien vs. Predator has, for `test_heads.py`.

    python tests/heads_features.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np

from versus.frameworks.torch import backbone as backbone_torch
from versus.recipe import conventions
from versus.artifacts import features
from versus.frameworks.torch import features as features_torch
from versus import params
from versus.frameworks.torch import runtime as runtime_torch
from versus.images import sources
from versus.recipe.conventions import TABLE

TRAIN = 347  # of each class; the other 100 are validation images


def main():
    folder, chosen = Path(sys.argv[1]), params.load()
    runtime_torch.start(chosen.compute, "float32")
    sources.fetch(chosen.data.model_copy(update={"source": "sample", "per_class": TRAIN + 100}), folder / "raw")
    files = np.array([sorted(kind.iterdir()) for kind in sorted((folder / "raw").iterdir())])  # (classes, files)
    section = params.Conventions(**dict.fromkeys(TABLE, "all") | {"all": "keras"})
    followed = conventions.resolve(section, "torch")
    model = chosen.model.model_copy(update={"backbone": "efficientnet_lite0", "weights": "shared"})
    backbone = backbone_torch.build(model, backbone_torch.find_weights(model), followed.batch_norm)
    made = features_torch.extract_files(backbone, list(files[:, :TRAIN].flat), list(files[:, TRAIN:].flat), chosen,
                                        followed, None)
    features.save(made, folder)
    np.save(folder / "labels.npy", np.repeat(range(len(files)), TRAIN))


if __name__ == "__main__":
    main()

"""The saved classifier in PyTorch, read for its probabilities alone: nothing is imported that only training needs."""

from pathlib import Path

import numpy as np
import torch
from torch import nn


def load(folder: str | Path) -> nn.Module:
    """Read classifier.pt2."""
    return torch.export.load(Path(folder) / "classifier.pt2").module()


@torch.inference_mode()
def probabilities(classifier: nn.Module, pixels: np.ndarray) -> np.ndarray:
    """Compute probabilities (n, classes) of pixels (n, size, size, 3), RGB, 0..255."""
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return classifier(batch.to(torch.get_default_dtype())).numpy()

"""Pixels to features in PyTorch: a Dataset reads the images, the frozen backbone computes batch by batch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from versus.frameworks.torch import runtime
from versus.frameworks.torch.backbone import set_statistics, statistics  # noqa: F401  extraction asks for them here
from versus.recipe.pixels import ImageBatches


class Batches(Dataset):
    """Batches (n, 3, size, size) of pixels, 0..255."""

    def __init__(self, images: ImageBatches):
        self.images = images

    def __len__(self) -> int:
        return len(self.images.batches)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self.images.pixels(index)).permute(0, 3, 1, 2)


def apply(model: nn.Module, images: ImageBatches, training: bool, bar: tqdm,
          out: np.ndarray | None = None) -> np.ndarray:
    """Apply the model batch by batch, in training mode or not: (files, width), in the order of the files.

    What it gives is written to `out` as it comes, or to a new array if that is None.
    """
    model.to(runtime.device).train(training)
    return images.in_order(_outputs(model, images, bar), out)


@torch.inference_mode()
def _outputs(model: nn.Module, images: ImageBatches, bar: tqdm) -> Iterator[np.ndarray]:
    """Yield what the model gives for each batch."""
    precision = torch.get_default_dtype()
    # at float32 twice as fast as the default layout, at float64 half as fast
    layout = torch.channels_last if precision == torch.float32 else torch.contiguous_format
    # no worker processes: they take a third of the speed. Nor is a batch read while another is computed: the threads
    # that compute wait for each other after each operation, and none of them may be kept from it
    for batch in DataLoader(Batches(images), batch_size=None):
        yield model(batch.to(runtime.device, precision, memory_format=layout)).cpu().numpy()
        bar.update(len(batch))


def received(images: ImageBatches) -> np.ndarray:
    """Return the first batch as the model receives it: (n, size, size, 3)."""
    return Batches(images)[0].permute(0, 2, 3, 1).numpy()

"""Image files to features, in PyTorch: a Dataset makes the pixels, the frozen backbone the features."""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from versus import draws, pixels
from versus.backbone_torch import statistics
from versus.features import SAMPLE, Features, in_order, progress


class Images(Dataset):
    """Pixels (3, size, size), 0..255, of each file; `batches` says which of them a DataLoader puts together.

    `views` (files,) says how each file is augmented; None leaves it as it is.
    """

    def __init__(self, files, batches, views, size, conventions):
        self.files, self.batches, self.views = files, batches, views
        self.size, self.conventions = size, conventions

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image = pixels.load(self.files[i], self.size, self.conventions)
        if self.views is not None:
            image = pixels.augment(image, self.views[i], self.conventions.augment)
        return torch.from_numpy(image).permute(2, 0, 1)  # (height, width, 3) to (3, height, width)


def extract_files(backbone, train, validation, params, conventions, label):
    """Make the `Features` of the files in lists `train` and `validation`, drawn and batched as params says."""
    size = params.model.image_size
    drawn = zip(draws.batches(params.extract, len(train)), draws.views(params.extract, len(train)))
    views = [Images(train, batches, view, size, conventions) for batches, view in drawn]
    as_they_are = Images(validation, in_order(len(validation), params.extract.batch), None, size, conventions)
    return extract(backbone, views, as_they_are, conventions.batch_norm, label)


def extract(backbone, train, validation, batch_norm, label):
    """Make the features of all views of the training images, and of the validation images, as `Features`.

    `train` is a list of `Images`, one a view; `validation` is one. With `batch_norm` "batch" each view moves the
    stored statistics, so the validation features are made anew after each.
    """
    moving = batch_norm == "batch"
    found = Features(pixels=np.concatenate([_sample(images) for images in (train[0], validation)]))
    with progress(train, validation, moving, label) as bar:
        for view in train:
            found.train.append(_predict(backbone.train(moving), view, bar))
            if moving or not found.validation:
                found.validation.append(_predict(backbone.eval(), validation, bar))
            if moving:
                found.statistics.append(statistics(backbone))
    return found


def infer(backbone, images, label):
    """Make the features of `images` in evaluation mode: (files, width), in the order of the files."""
    with tqdm(total=len(images.files), desc=label, unit="image", disable=None) as bar:
        return _predict(backbone, images, bar)


def _sample(images):
    """The first pixels of a loader as the model receives them: (up to SAMPLE, size, size, 3)."""
    batch = next(iter(DataLoader(images, batch_sampler=images.batches[:1])))
    return batch[:SAMPLE].permute(0, 2, 3, 1).numpy()


@torch.inference_mode()
def _predict(backbone, images, bar):
    """Apply the model batch by batch: features (files, width), in the order of the files."""
    # twice as fast as the default layout, whose kernels alone sum up the statistics of a batch precisely:
    # channels_last would move Lite0's float32 features by 0.3 % from the float64 ones, the default does by 0.001 %
    quick = not backbone.training and torch.get_default_dtype() == torch.float32  # at float64 it takes twice as long
    layout = torch.channels_last if quick else torch.contiguous_format
    features = None
    for batch, rows in zip(DataLoader(images, batch_sampler=images.batches, num_workers=1), images.batches):
        predicted = backbone(batch.to(torch.get_default_dtype(), memory_format=layout)).numpy()
        if features is None:
            features = np.empty((len(images), predicted.shape[1]), predicted.dtype)
        features[rows] = predicted
        bar.update(len(rows))
    return features

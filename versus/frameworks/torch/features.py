"""Image files to features, in PyTorch: a Dataset makes the pixels, the frozen backbone the features."""

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from versus.recipe import draws
from versus.recipe import pixels
from versus.frameworks.torch.backbone import statistics
from versus.artifacts.features import SAMPLE, Features, check_batches, check_finite, in_order, progress


class Images(Dataset):
    """Batches (n, 3, size, size) of pixels, 0..255, of the files that each entry of `batches` counts out.

    `views` (files,) says how each file is augmented; None leaves it as it is.
    """

    def __init__(self, files, batches, views, size, conventions):
        self.files, self.batches, self.views = files, batches, views
        self.size, self.conventions = size, conventions

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return torch.from_numpy(np.stack([self._image(i) for i in self.batches[index]])).permute(0, 3, 1, 2)

    def _image(self, i):
        image = pixels.load(self.files[i], self.size, self.conventions)
        return image if self.views is None else pixels.augment(image, self.views[i], self.conventions.augment)


def extract_files(backbone, train, validation, params, conventions, label):
    """Make the `Features` of the files in lists `train` and `validation`, drawn and batched as params says."""
    check_batches(params, conventions.batch_norm, len(train))
    size = params.model.image_size
    drawn = zip(draws.batches(params.extract, len(train)), draws.views(params.extract, len(train)))
    views = [Images(train, batches, view, size, conventions) for batches, view in drawn]
    as_they_are = Images(validation, in_order(len(validation), params.extract.batch), None, size, conventions)
    return check_finite(extract(backbone, views, as_they_are, conventions.batch_norm, label))


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
        return _predict(backbone.eval(), images, bar)


def _sample(images):
    """The first pixels of a loader as the model receives them: (up to SAMPLE, size, size, 3)."""
    return images[0][:SAMPLE].permute(0, 2, 3, 1).numpy()


@torch.inference_mode()
def _predict(backbone, images, bar):
    """Apply the model batch by batch: features (files, width), in the order of the files."""
    # twice as fast as the default layout, whose kernels alone sum up the statistics of a batch precisely:
    # channels_last would move Lite0's float32 features by 0.3 % from the float64 ones, the default does by 0.001 %
    quick = not backbone.training and torch.get_default_dtype() == torch.float32  # at float64 it takes twice as long
    layout = torch.channels_last if quick else torch.contiguous_format
    features = None
    for batch, rows in zip(_read(images), images.batches):
        predicted = backbone(batch.to(torch.get_default_dtype(), memory_format=layout)).numpy()
        if features is None:
            features = np.empty((len(images.files), predicted.shape[1]), predicted.dtype)
        features[rows] = predicted
        bar.update(len(rows))
    return features


def _read(images):
    """Yield all batches, which a process of its own makes ahead; a file's error comes without that one's traceback."""
    made = iter(DataLoader(images, batch_size=None, num_workers=1))
    for index in range(len(images)):
        try:
            batch = next(made)
        except ValueError:
            batch = images[index]  # raises the same error here
        yield batch

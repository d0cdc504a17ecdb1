"""Image files to features, in Keras: a PyDataset makes the pixels, the frozen backbone the features."""

from functools import lru_cache

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import numpy as np
from tqdm import tqdm

from versus.recipe import draws
from versus.recipe import pixels
from versus.frameworks.keras.backbone import statistics
from versus.artifacts.features import SAMPLE, Features, check_batches, check_finite, in_order, progress


class Images(keras.utils.PyDataset):
    """Batches (n, size, size, 3) of pixels, 0..255, of the files that each entry of `batches` counts out.

    `views` (files,) says how each file is augmented; None leaves it as it is.
    """

    def __init__(self, files, batches, views, size, conventions):
        super().__init__(workers=2, max_queue_size=4)
        self.files, self.batches, self.views = files, batches, views
        self.size, self.conventions = size, conventions

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return np.stack([self._image(i) for i in self.batches[index]]).astype(keras.config.floatx())

    def _image(self, i):
        image = pixels.load(self.files[i], self.size, self.conventions)
        return image if self.views is None else pixels.augment(image, self.views[i], self.conventions.augment)


class Extractor(keras.Model):
    """The backbone under `predict`, in training mode or not."""

    def __init__(self, backbone, training):
        super().__init__()
        self.backbone, self.in_training = backbone, training

    def call(self, images):
        return self.backbone(images, training=self.in_training)


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
    in_training, in_inference = _compile(backbone, training=moving), _compile(backbone, training=False)
    found = Features(pixels=np.concatenate([_sample(images) for images in (train[0], validation)]))
    with progress(train, validation, moving, label) as bar:
        for view in train:
            found.train.append(_predict(in_training, view, bar))
            if moving or not found.validation:
                found.validation.append(_predict(in_inference, validation, bar))
            if moving:
                found.statistics.append(statistics(backbone))
    return found


def infer(backbone, images, label):
    """Make the features of `images` in evaluation mode: (files, width), in the order of the files."""
    with tqdm(total=len(images.files), desc=label, unit="image", disable=None) as bar:
        return _predict(_compile(backbone, training=False), images, bar)


def _sample(images):
    """The first pixels of a loader as the model receives them: (up to SAMPLE, size, size, 3)."""
    return keras.ops.convert_to_numpy(images[0][:SAMPLE])


@lru_cache(maxsize=2)
def _compile(backbone, training):
    extractor = Extractor(backbone, training)
    extractor.compile(jit_compile=False)  # XLA on the CPU is ten times slower
    return extractor


def _predict(extractor, images, bar):
    """Apply the model batch by batch: features (files, width), in the order of the files."""
    advance = keras.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: bar.update(len(images.batches[batch])))
    predicted = extractor.predict(images, verbose=0, callbacks=[advance])  # in the order of the batches
    features = np.empty_like(predicted)
    features[np.concatenate(images.batches)] = predicted
    return features

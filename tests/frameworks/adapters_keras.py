"""Keras as the contract tests call it, with numpy arrays: the same names as in `adapters_torch`.

Pixels are (n, size, size, 3), RGB, 0..255.
"""

import functools

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import h5py
import keras
import numpy as np
from keras import layers, ops
from keras.src.applications import resnet
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from tests.helpers import keras_2018
from tests.helpers.adam import RATE
from versus.frameworks.keras import pretrained
from versus.recipe.draws import VIEW

OWN_ADAM = keras.optimizers.Adam
SAVED = {"classifier.keras", "architecture.json", "model.weights.h5"}
ALONE = """
import sys
import numpy as np
import keras
pixels = np.load("pixels.npy")
whole = keras.saving.load_model("classifier.keras")
parts = keras.models.model_from_json(open("architecture.json").read())
parts.load_weights("model.weights.h5")
np.savez("probabilities.npz", whole=whole(pixels), parts=parts(pixels))
assert not {"versus", "torch"} & set(sys.modules)
"""
IMAGENET = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
CHECKSUM = ("md5", resnet.WEIGHTS_HASHES["resnet50"][1])
OTHERWISE = "or use model.weights: shared"


def apply(model, pixels, training=False):
    """Call a backbone or classifier in inference or in training mode."""
    return ops.convert_to_numpy(model(pixels, training=training))


def around_first_batch_norm(backbone, pixels, training):
    """Apply Lite0; return what its first batch norm gets and gives, the latter after relu6."""
    outputs = [backbone.get_layer(name).output for name in ("conv_stem", "bn1.relu6")]
    return [ops.convert_to_numpy(each) for each in keras.Model(backbone.input, outputs)(pixels, training=training)]


def batch_norms(backbone):
    return [layer for layer in backbone.layers if isinstance(layer, layers.BatchNormalization)]


def epsilon_and_momentum(layer):
    """Return both of a batch norm, the momentum as the share of the new batch."""
    return layer.epsilon, 1 - layer.momentum


def set_epsilon(layer, epsilon):
    layer.epsilon = epsilon


def run_adam(new_adam, start, gradients):
    """Take a step for each of the gradients (steps, parameters) from `start`; `new_adam` is one of `head.ADAMS`."""
    variable, optimizer = keras.Variable(start), new_adam(RATE)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([ops.convert_to_tensor(gradient, variable.dtype)], [variable])
    return ops.convert_to_numpy(variable)


def own_layer(inputs, outputs):
    """Return kernel (inputs, outputs) and bias of the framework's own dense layer, as it initialises them."""
    keras.utils.set_random_seed(0)
    layer = layers.Dense(outputs)
    layer.build((None, inputs))
    return layer.get_weights()


def own_images(folder, size, era):
    """Yield path and pixels of each image as the framework's own loader of <class>/* reads them."""
    if era == 2018:
        yield from keras_2018.images(folder, size)
        return
    loader = keras.utils.image_dataset_from_directory(folder, image_size=(size, size), batch_size=1, shuffle=False,
                                                      verbose=False)
    for path, (batch, _) in zip(loader.file_paths, loader, strict=True):
        yield path, batch[0].numpy()


def own_augmented(image, view, era):
    """Augment an image as the framework's own loader would for a view, one of `draws.views`."""
    if era == 2018:
        return keras_2018.augmented(image, view)
    images = image[None, :, ::-1] if view["flip"] else image[None]
    zoom = np.full((1, 1), view["zoom_x"], np.float32)
    shear = np.array([[np.tan(np.deg2rad(view["shear"])), 0]], np.float32)
    for layer, factors in ((layers.RandomShear(0.2), {"shear_factor": shear}),
                           (layers.RandomZoom(0.2), {"height_zoom": zoom, "width_zoom": zoom})):
        images = layer.transform_images(ops.convert_to_tensor(images), factors | {"input_shape": images.shape})
    return ops.convert_to_numpy(images)[0]


def own_views(number, era):
    """Draw views as the framework's own augmentation does, of a shear up to 10 degrees and a zoom up to 0.2."""
    if era == 2018:
        return keras_2018.views(number)
    keras.utils.set_random_seed(0)
    images = np.zeros((number, 8, 8, 3), np.float32)
    shear = layers.RandomShear(np.tan(np.deg2rad(10))).get_random_transformation(images)["shear_factor"][:, 0]
    zooms = layers.RandomZoom(0.2).get_random_transformation(images)
    mirrored = layers.RandomFlip("horizontal").get_random_transformation(images)["flips"]
    columns = np.rad2deg(np.arctan(shear)), zooms["width_zoom"][:, 0], zooms["height_zoom"][:, 0], mirrored
    return np.array(list(zip(*(np.ravel(column) for column in columns))), VIEW)


def cache_of_imagenet(home, monkeypatch):
    """Make `home` the framework's own folder; return where in it the ImageNet weights of ResNet-50 belong."""
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(home))
    return home / "models" / IMAGENET


def publish(folder, monkeypatch):
    """Publish a file of random weights in `folder` as if it were the one of ImageNet; return its path."""
    path = save_imagenet(folder / IMAGENET)
    monkeypatch.setitem(resnet.WEIGHTS_HASHES, "resnet50", (None, file_utils.hash_file(path, "md5")))
    monkeypatch.setattr(pretrained, "BASE_WEIGHTS_PATH", f"{folder.as_uri()}/")
    return path


def save_imagenet(path):
    """Save random weights as the ImageNet weights are saved; return the path."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, applications_resnet50())
    return path


def fetch_imagenet():
    """Return the arrays of ResNet-50's ImageNet weights, downloaded if necessary."""
    return pretrained.applications_resnet50(32).get_weights()


@functools.cache
def applications_resnet50():
    """Build keras.applications' network for 64 pixels with all its tensors drawn."""
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    noise = np.random.default_rng(0)
    for layer in batch_norms(network):
        layer.set_weights([noise.uniform(0.3, 0.9, variable.shape) for variable in layer.variables])
    return network

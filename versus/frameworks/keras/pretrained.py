"""ImageNet weights that come with Keras: keras.applications' own ResNet-50."""

from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
from keras import layers, ops
from keras.src.applications.resnet import BASE_WEIGHTS_PATH, WEIGHTS_HASHES
from keras.src.backend import config

from versus.recipe import weights
from versus.recipe.weights import WeightsError


def applications_resnet50(image_size: int) -> keras.Model:
    """Build keras.applications' own ResNet-50, version 1, with its own ImageNet weights, downloaded if necessary.

    Its mean is that of imagenet_utils.preprocess_input, mode "caffe". That mode expects BGR; here the first kernel is
    reversed instead, so that every backbone takes RGB. Raises WeightsError.
    """
    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    full = keras.config.floatx()
    x = layers.Normalization(mean=(123.68, 116.779, 103.939), variance=(1.0,) * 3, name="normalization",
                             dtype=full)(pixels)
    backbone = keras.applications.ResNet50(include_top=False, weights=_imagenet_resnet50(), input_tensor=x,
                                           name="backbone")
    kernel = backbone.get_layer("conv1_conv").kernel
    kernel.assign(ops.flip(kernel, axis=2))
    features = layers.GlobalAveragePooling2D(name="avg_pool", dtype=full)(backbone.output)
    return keras.Model(pixels, features, name="backbone")  # its own input is a list, which Keras warns of


def _imagenet_resnet50() -> str:
    """Find keras.applications' ImageNet file in Keras's cache, downloading it first if necessary; check its checksum.

    Keras would check it too, but deletes a wrong file, even the user's own, before it downloads another.
    """
    name, checksum = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", WEIGHTS_HASHES["resnet50"][1]
    url, path = BASE_WEIGHTS_PATH + name, Path(config.keras_home()) / "models" / name
    remedy = f"download {url} elsewhere and put it at {path}, or use model.weights: shared"
    if path.exists():
        weights.check_file(path, "md5", checksum, remedy)
        return str(path)
    try:
        return keras.utils.get_file(name, url, cache_subdir="models", file_hash=checksum)
    except Exception as error:  # Keras's downloader raises whatever it meets, plain Exception included
        raise WeightsError(f"resnet50: got no ImageNet weights for Keras ({error}); {remedy}") from None

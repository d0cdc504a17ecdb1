"""The real image preprocessing of Keras in 2018, keras_preprocessing 1.0.2, which is pure Python and still runs."""

from types import SimpleNamespace

import keras_preprocessing
import numpy as np

from versus.recipe.draws import VIEW

# what Keras 2.2.2 hands it
keras_preprocessing.set_keras_submodules(
    backend=SimpleNamespace(floatx=lambda: "float32", image_data_format=lambda: "channels_last"),
    utils=SimpleNamespace(Sequence=object))
from keras_preprocessing import image as preprocessing  # noqa: E402  it asks for the modules above


def images(folder, size):
    """Yield path and pixels of each image of <class>/*, as `flow_from_directory` loads them by default."""
    for path in sorted(folder.glob("*/*")):
        loaded = preprocessing.load_img(path, target_size=(size, size))
        yield path, preprocessing.img_to_array(loaded)


def augmented(image, view):
    """Augment an image as `ImageDataGenerator` does for a view, one of `draws.views`."""
    transform = {"shear": view["shear"], "zx": view["zoom_x"], "zy": view["zoom_y"], "flip_horizontal": view["flip"]}
    return preprocessing.ImageDataGenerator().apply_transform(image, transform)


def views(number):
    """Draw views as `ImageDataGenerator` does, of a shear up to 10 degrees and a zoom up to 0.2."""
    generator = preprocessing.ImageDataGenerator(shear_range=10, zoom_range=0.2, horizontal_flip=True)
    draws = [generator.get_random_transform((96, 96, 3), seed) for seed in range(number)]
    keys = ("shear", "zx", "zy", "flip_horizontal")
    return np.array([tuple(each[key] for key in keys) for each in draws], VIEW)

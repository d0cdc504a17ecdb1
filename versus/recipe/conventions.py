"""What Keras and PyTorch do differently on 'the same' recipe: one table, resolved once to concrete values.

Framework code receives a `Resolved` and sees only its values, never the words native, keras or torch.
"""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from versus import params


class Default(NamedTuple):
    """One framework's default: the value that code acts on, in words, and where it is written down."""

    value: str
    words: str
    source: str


TABLE = {
    "decode": {
        "keras": Default("fast", "TensorFlow's JPEG decoder: fast DCT, smooth upsampling",
                         "keras.utils.image_dataset_from_directory; tf.io.decode_image, dct_method=''"),
        "torch": Default("accurate", "Pillow: accurate DCT",
                         "torchvision.datasets.folder.pil_loader"),
    },
    "resize": {
        "keras": Default("interpolated", "bilinear between the four neighbours, no antialias, not rounded",
                         "keras.utils.image_dataset_from_directory; tf.image.resize(antialias=False)"),
        "torch": Default("antialiased", "bilinear with antialias, rounded to whole pixel values",
                         "torchvision.transforms.Resize on PIL images"),
    },
    "augment": {
        "keras": Default("per_axis", "one zoom for each axis, bilinear, outside filled from the border",
                         "keras.src.legacy.preprocessing.image.ImageDataGenerator, as in 2018"),
        "torch": Default("uniform", "one zoom for both axes, nearest pixel, outside black",
                         "torchvision.transforms.RandomAffine(scale, shear) and RandomHorizontalFlip, as in 2018"),
    },
    "batch_norm": {
        "keras": Default("frozen", "a frozen layer normalises with its stored statistics",
                         "keras.layers.BatchNormalization, 'about setting layer.trainable = False'"),
        "torch": Default("batch", "a frozen layer under model.train() normalises with the statistics of the batch and "
                         "updates the stored ones, the variance by its unbiased estimate",
                         "torch.nn.BatchNorm2d; requires_grad=False stops gradients only"),
    },
    "head_init": {
        "keras": Default("glorot", "weights uniform in ±sqrt(6/(fan_in+fan_out)), biases zero",
                         "keras.layers.Dense: GlorotUniform (Glorot & Bengio 2010)"),
        "torch": Default("fan_in", "weights and biases uniform in ±1/sqrt(fan_in)",
                         "torch.nn.Linear.reset_parameters: kaiming_uniform_(a=sqrt(5))"),
    },
    "adam": {
        "keras": Default("uncorrected", "epsilon 1e-7 added to the root of the uncorrected second moment",
                         "keras.optimizers.Adam: 'epsilon hat' of Kingma & Ba 2015, section 2.1"),
        "torch": Default("corrected", "epsilon 1e-8 added to the root of the corrected second moment",
                         "torch.optim.Adam: algorithm 1 of Kingma & Ba 2015"),
    },
}


class PixelConventions(NamedTuple):
    """How an image file becomes pixels: see `versus.recipe.pixels`."""

    decode: str
    resize: str


@dataclass(frozen=True)
class FeatureConventions:
    """The conventions that features depend on, as values."""

    decode: str
    resize: str
    augment: str
    batch_norm: str

    @property
    def pixels(self) -> PixelConventions:
        return PixelConventions(self.decode, self.resize)


OF_FEATURES = tuple(field.name for field in fields(FeatureConventions))


@dataclass(frozen=True)
class Resolved(FeatureConventions):
    """All conventions of one competitor as values: for each row of TABLE, the default that it follows."""

    head_init: str
    adam: str


def value(conventions: params.Conventions, name: str, framework: params.Framework) -> str:
    """Return the value that `framework` follows in convention `name` under the params section."""
    return TABLE[name][conventions.whose_default(name, framework)].value


def resolve(conventions: params.Conventions, framework: params.Framework) -> Resolved:
    """Resolve the params section for one framework."""
    return Resolved(**{name: value(conventions, name, framework) for name in TABLE})


def resolve_features(conventions: params.Conventions, framework: params.Framework) -> FeatureConventions:
    """Resolve only the conventions that features depend on, so that no other key is read."""
    return FeatureConventions(**{name: value(conventions, name, framework) for name in OF_FEATURES})


def differing(conventions: params.Conventions, one: params.Framework, other: params.Framework) -> list[str]:
    """List the conventions in which two frameworks differ under the params section, in the order of TABLE."""
    return [name for name in TABLE if value(conventions, name, one) != value(conventions, name, other)]


def combinations(conventions: params.Conventions, one: params.Framework, other: params.Framework) -> list[Resolved]:
    """Resolve every combination of the k conventions in which two frameworks differ: 2^k `Resolved`.

    The first combination is that of `one`, the last that of `other`. The index of a combination counts in bits: bit j
    is set where differing convention j is that of `other`.
    """
    names = differing(conventions, one, other)
    first, last = resolve(conventions, one), resolve(conventions, other)
    return [replace(first, **{name: getattr(last, name) for j, name in enumerate(names) if index >> j & 1})
            for index in range(2 ** len(names))]

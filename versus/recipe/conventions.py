"""What Keras and PyTorch do differently on 'the same' recipe: one table, resolved once to concrete values.

Each framework has a default in each of two eras: in 2018, when the article that this compares with was written, and
today. Framework code receives a `Resolved` and sees only its values, never the words native, keras, torch or an era.
"""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from versus import params


class Default(NamedTuple):
    """One framework's default in one era: the value that code acts on, in words, and where it is written down."""

    value: str
    words: str
    source: str


Eras = dict[params.Era, Default]


def _unchanged(value: str, words: str, source: str) -> Eras:
    """Say that a default is today what it was in 2018."""
    return dict.fromkeys(params.ERAS, Default(value, words, source))


VERSIONS = {2018: "Keras 2.2.2 with keras_preprocessing 1.0.2, PyTorch 0.4.1 with torchvision 0.2.1"}

# name: framework: era: default
TABLE: dict[str, dict[params.Framework, Eras]] = {
    "decode": {
        "keras": {2018: Default("accurate", "Pillow: accurate DCT", "keras_preprocessing 1.0.2, image.load_img"),
                  "today": Default("fast", "TensorFlow's JPEG decoder: fast DCT, smooth upsampling",
                                   "keras.utils.image_dataset_from_directory; tf.io.decode_image, dct_method=''")},
        "torch": _unchanged("accurate", "Pillow: accurate DCT", "torchvision.datasets.folder.pil_loader"),
    },
    "resize": {
        "keras": {2018: Default("nearest", "the nearest pixel",
                                "keras_preprocessing 1.0.2, flow_from_directory(interpolation='nearest'); Pillow"),
                  "today": Default("interpolated", "bilinear between the four neighbours, no antialias, not rounded",
                                   "keras.utils.image_dataset_from_directory; tf.image.resize(antialias=False)")},
        "torch": _unchanged("antialiased", "bilinear with antialias, rounded to whole pixel values",
                            "torchvision.transforms.Resize on PIL images; Pillow 2.7 or newer"),
    },
    "augment": {
        "keras": {2018: Default("per_axis", "sheared up and down, one zoom for each axis, bilinear, outside filled "
                                "from the border",
                                "keras_preprocessing 1.0.2, image.ImageDataGenerator: apply_affine_transform"),
                  "today": Default("reflected", "mirrored, then sheared from the top edge, then one zoom for both "
                                   "axes; bilinear twice, outside reflected",
                                   "keras.layers.RandomFlip, RandomShear, RandomZoom")},
        "torch": {2018: Default("stretched", "one zoom for both axes, stretched up and down by the shear's cosine, "
                                "nearest pixel, outside black",
                                "torchvision 0.2.1, transforms.RandomAffine(scale, shear) and RandomHorizontalFlip"),
                  "today": Default("uniform", "one zoom for both axes, nearest pixel, outside black",
                                   "torchvision.transforms.RandomAffine(scale, shear) and RandomHorizontalFlip")},
    },
    "batch_norm": {
        "keras": {2018: Default("batch_not_stored", "a frozen layer normalises with the statistics of the batch while "
                                "the head trains, and with the stored ones, which never change, afterwards",
                                "Keras 2.2.2, layers/normalization.py: in_train_phase; engine/base_layer.py: no "
                                "updates of a layer that is not trainable"),
                  "today": Default("frozen", "a frozen layer normalises with its stored statistics",
                                   "keras.layers.BatchNormalization, 'about setting layer.trainable = False'; so "
                                   "since TensorFlow 2.0")},
        "torch": _unchanged("batch", "a frozen layer under model.train() normalises with the statistics of the batch "
                            "and updates the stored ones, the variance by its unbiased estimate",
                            "torch.nn.BatchNorm2d; requires_grad=False stops gradients only"),
    },
    "head_init": {
        "keras": _unchanged("glorot", "weights uniform in ±sqrt(6/(fan_in+fan_out)), biases zero",
                            "keras.layers.Dense: GlorotUniform (Glorot & Bengio 2010)"),
        "torch": _unchanged("fan_in", "weights and biases uniform in ±1/sqrt(fan_in)",
                            "torch.nn.Linear.reset_parameters: kaiming_uniform_(a=sqrt(5))"),
    },
    "adam": {
        "keras": _unchanged("uncorrected_1e-7", "epsilon 1e-7 added to the root of the uncorrected second moment",
                            "keras.optimizers.Adam: 'epsilon hat' of Kingma & Ba 2015, section 2.1"),
        "torch": {2018: Default("uncorrected_1e-8", "epsilon 1e-8 added to the root of the uncorrected second moment",
                                "PyTorch 0.4.1, optim/adam.py: denom = exp_avg_sq.sqrt().add_(eps)"),
                  "today": Default("corrected_1e-8", "epsilon 1e-8 added to the root of the corrected second moment",
                                   "torch.optim.Adam: algorithm 1 of Kingma & Ba 2015")},
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
    def batch_statistics(self) -> bool:
        """Whether batch norm normalises with the statistics of the batch while the head trains."""
        return self.batch_norm != "frozen"

    @property
    def pixels(self) -> PixelConventions:
        return PixelConventions(self.decode, self.resize)


OF_FEATURES = tuple(field.name for field in fields(FeatureConventions))


@dataclass(frozen=True)
class Resolved(FeatureConventions):
    """All conventions of one competitor as values: for each row of TABLE, the default that it follows."""

    head_init: str
    adam: str


def default(conventions: params.Conventions, name: str, framework: params.Framework) -> Default:
    """Return the default that `framework` follows in convention `name` under the params section."""
    return TABLE[name][conventions.whose_default(name, framework)][conventions.era]


def value(conventions: params.Conventions, name: str, framework: params.Framework) -> str:
    """Return the value of that default."""
    return default(conventions, name, framework).value


def resolve(conventions: params.Conventions, framework: params.Framework) -> Resolved:
    """Resolve the params section for one framework."""
    return Resolved(**{name: value(conventions, name, framework) for name in TABLE})


def resolve_features(conventions: params.Conventions, framework: params.Framework) -> FeatureConventions:
    """Resolve only the conventions that features depend on, so that no other key is read."""
    return FeatureConventions(**{name: value(conventions, name, framework) for name in OF_FEATURES})


def differing(one: Resolved, other: Resolved) -> list[str]:
    """List the conventions in which two competitors differ, in the order of TABLE."""
    return [name for name in TABLE if getattr(one, name) != getattr(other, name)]


def combinations(one: Resolved, other: Resolved) -> list[Resolved]:
    """List every combination of the k conventions in which two competitors differ: 2^k `Resolved`.

    The first combination is `one`, the last `other`. The index of a combination counts in bits: bit j is set where
    differing convention j is that of `other`.
    """
    names = differing(one, other)
    return [replace(one, **{name: getattr(other, name) for j, name in enumerate(names) if index >> j & 1})
            for index in range(2 ** len(names))]

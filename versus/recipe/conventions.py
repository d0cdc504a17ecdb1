"""What Keras and PyTorch do differently on 'the same' recipe: one table, resolved once to concrete values.

Framework code receives a `Resolved` and sees its values only, never the words native, keras or torch.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Habit(NamedTuple):
    """One framework's habit: the value that code acts on, in words, and where the habit is written down."""

    value: str
    words: str
    source: str


TABLE = {
    "decode": {
        "keras": Habit("fast", "TensorFlow's JPEG decoder: fast DCT, smooth upsampling",
                       "keras.utils.image_dataset_from_directory; tf.io.decode_image, dct_method=''"),
        "torch": Habit("accurate", "Pillow: accurate DCT",
                       "torchvision.datasets.folder.pil_loader"),
    },
    "resize": {
        "keras": Habit("interpolated", "bilinear between the four neighbours, no antialias, floats",
                       "keras.utils.image_dataset_from_directory; tf.image.resize(antialias=False)"),
        "torch": Habit("antialiased", "bilinear with antialias, rounded to levels",
                       "torchvision.transforms.Resize on PIL images"),
    },
    "augment": {
        "keras": Habit("per_axis", "one zoom for each axis, bilinear, outside filled from the border",
                       "keras.src.legacy.preprocessing.image.ImageDataGenerator, as in 2018"),
        "torch": Habit("uniform", "one zoom for both axes, nearest pixel, outside black",
                       "torchvision.transforms.RandomAffine(scale, shear) and RandomHorizontalFlip, as in 2018"),
    },
    "batch_norm": {
        "keras": Habit("frozen", "a frozen layer normalises with its stored statistics",
                       "keras.layers.BatchNormalization, 'about setting layer.trainable = False'"),
        "torch": Habit("batch", "a frozen layer under model.train() normalises with those of the batch and moves the "
                       "stored ones, the variance by its unbiased estimate",
                       "torch.nn.BatchNorm2d; requires_grad=False stops gradients only"),
    },
    "head_init": {
        "keras": Habit("glorot", "weights uniform in ±sqrt(6/(fan_in+fan_out)), biases zero",
                       "keras.layers.Dense: GlorotUniform (Glorot & Bengio 2010)"),
        "torch": Habit("fan_in", "weights and biases uniform in ±1/sqrt(fan_in)",
                       "torch.nn.Linear.reset_parameters: kaiming_uniform_(a=sqrt(5))"),
    },
    "adam": {
        "keras": Habit("uncorrected", "epsilon 1e-7 added to the root of the uncorrected second moment",
                       "keras.optimizers.Adam: 'epsilon hat' of Kingma & Ba 2015, section 2.1"),
        "torch": Habit("corrected", "epsilon 1e-8 added to the root of the corrected second moment",
                       "torch.optim.Adam: algorithm 1 of Kingma & Ba 2015"),
    },
}


@dataclass(frozen=True)
class Resolved:
    """One framework's conventions as values: those of the column of TABLE that it follows, row by row."""

    decode: str
    resize: str
    augment: str
    batch_norm: str
    head_init: str
    adam: str


def value(conventions, name, framework):
    """The value of convention `name` that `framework` ("keras" or "torch") follows under the params section."""
    return TABLE[name][conventions.habit(name, framework)].value


def resolve(conventions, framework, names=tuple(TABLE)):
    """Resolve the params section for one framework; `names` limits what is read, the rest is None."""
    return Resolved(**{name: value(conventions, name, framework) if name in names else None for name in TABLE})


def all_equal(conventions):
    """Say whether both frameworks follow the same habit in every convention."""
    return all(value(conventions, name, "keras") == value(conventions, name, "torch") for name in TABLE)


def markdown():
    """Write TABLE as the README shows it."""
    rows = ["| convention | Keras | PyTorch |", "|---|---|---|"]
    rows += [f"| `{name}` | {habits['keras'].words} | {habits['torch'].words} |" for name, habits in TABLE.items()]
    return "\n".join(rows)

"""What the names of folders say: a part of the set, masks, results, or one of several sets."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

PART_WORDS = {"train": "train", "training": "train", "trn": "train",
              "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
              "test": "test", "testing": "test", "tst": "test", "evaluation": "test", "eval": "test", "holdout": "test"}
GLUED = re.compile(rf"({'|'.join(sorted(PART_WORDS, key=len, reverse=True))})(set|sets|data|images|imgs|img)")
# words that say nothing of what an image shows
IMAGE_WORDS = {"image", "images", "img", "imgs", "photo", "photos", "jpg", "jpeg", "jpegs", "png", "pngs",
               "jpegimages", "data", "dataset", "input", "inputs"}
NEUTRAL_WORDS = IMAGE_WORDS | {"set", "sets", "folder", "folders", "dir", "files", "split", "seg", "new", "final",
                               "the", "resized", "small", "full", "all"}
MASK_WORDS = {"mask", "masks", "annotation", "annotations", "annot", "groundtruth", "truth", "gt", "ground", "label",
              "labels", "segmentation", "segmentations", "trimaps", "matte",
              "mattes", "target", "targets"}
NUMBERED_WORDS = NEUTRAL_WORDS | PART_WORDS.keys() | {"part", "parts", "batch", "batches", "fold", "folds", "chunk",
                                                      "shard", "split", "vol", "volume", "zip", "archive"}
# left out beside two classes or more, whatever they hold
RESULT_WORDS = {"results", "result", "output", "outputs", "checkpoint", "checkpoints", "runs", "tensorboard", "wandb",
                "mlruns", "predictions", "prediction", "pred", "preds", "submission", "submissions", "plots", "figures",
                "figs", "docs", "doc", "cache", "tmp", "temp", "notebooks", "weights", "events", "screenshots"}
# left out beside two classes of twice as many images; else they may be a class
PERHAPS_RESULT_WORDS = {"log", "logs", "models", "model", "samples", "sample", "examples", "misc", "other", "demo"}
UNLABELLED_WORDS = {"unlabelled", "unlabeled", "unsup", "unannotated", "unsorted", "uncategorized", "uncategorised"}
VERSION_WORDS = {"original", "originals", "orig", "raw", "resized", "cropped", "processed", "preprocessed", "augmented",
                 "aug", "thumbnails", "thumbs", "small", "large", "color", "colour", "grayscale", "greyscale", "gray",
                 "grey", "segmented", "denoised", "normalized", "normalised", "enhanced", "clahe", "flipped"}
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "icon\r", "__macosx"}


def composed(name: str) -> str:
    """Return a name in the one Unicode form (NFC) that names are compared in."""
    return unicodedata.normalize("NFC", name)


def is_hidden(name: str) -> bool:
    """Say whether a file or folder is hidden, or one that an operating system adds."""
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def words(name: str) -> list[str]:
    """Split a name into its words and numbers, in lower case.

    >>> words("HAM10000_images_part_1"), words("TrainingSet"), words("trainset")
    (['ham', '10000', 'images', 'part', '1'], ['training', 'set'], ['train', 'set'])
    """
    split = re.findall(r"\d+|[^\W\d_]+", re.sub(r"([^\W\d_A-Z])([A-Z])", r"\1 \2", composed(name)))
    result: list[str] = []
    for word in (word.lower() for word in split):
        glued = GLUED.fullmatch(word)
        result += glued.groups() if glued else [word]
    return result


def parts_of(names: Iterable[str]) -> dict[str, str]:
    """Map the names that say a part, among folders side by side, to "train", "validation" or "test".

    Beside the word for the part a name has words that say nothing, or those that the name of another part has, too.

    >>> parts_of(["seg_train", "seg_test", "seg_pred"]), parts_of(["train_station", "test_tube"])
    ({'seg_train': 'train', 'seg_test': 'test'}, {})
    """
    said: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name in names:
        own = words(name)
        kinds = {PART_WORDS[word] for word in own if word in PART_WORDS}
        if len(kinds) == 1:
            said[name] = kinds.pop(), tuple(word for word in own if word not in PART_WORDS)
    return {name: part for name, (part, rest) in said.items()
            if all(word in NEUTRAL_WORDS or word.isdigit() for word in rest)
            or any(rest == other and part != other_part for other_part, other in said.values())}


def is_plain_part(name: str) -> bool:
    """Say whether a name is the word for a part alone: `train`, but not `train_2`."""
    return len(words(name)) == 1


def are_masks(name: str) -> bool:
    own = words(name)
    neutral = MASK_WORDS | NUMBERED_WORDS | {"class", "object"}
    return bool(MASK_WORDS & set(own)) and all(word in neutral or word.isdigit() for word in own)


def is_image_folder(name: str) -> bool:
    """Say whether a name says no more than that there are images: `images`, `JPEGImages`, `img_2`."""
    own = words(name)
    return bool(IMAGE_WORDS & set(own)) and all(word in NEUTRAL_WORDS or word.isdigit() for word in own)


def are_results(name: str) -> bool:
    return bool(RESULT_WORDS & set(words(name)))


def may_be_results(name: str) -> bool:
    return bool(PERHAPS_RESULT_WORDS & set(words(name)))


def are_unlabelled(name: str) -> bool:
    return bool(UNLABELLED_WORDS & set(words(name)))


def is_version(name: str) -> bool:
    """Say whether a name is that of one version of a set: `original`, `resized_224`."""
    own = words(name)
    return bool(VERSION_WORDS & set(own)) and all(word in VERSION_WORDS | NEUTRAL_WORDS or word.isdigit()
                                                  for word in own)


def pieces_of_one_set(names: Sequence[str]) -> bool:
    """Say whether folders side by side are pieces of one set, and so no classes.

    >>> pieces_of_one_set(["images", "masks"]), pieces_of_one_set(["x_part_1", "x_part_2"])
    (True, True)
    >>> pieces_of_one_set(["class_1", "class_2"]), pieces_of_one_set(["train", "plane"])
    (False, False)
    """
    parts = parts_of(names)
    images = [name for name in names if is_image_folder(name)]
    masks = [name for name in names if are_masks(name)]
    if len(names) < 2:
        return False
    if parts or images:
        return not set(names) - set(parts) - set(images) - set(masks)
    return _are_numbered(names)


def _are_numbered(names: Sequence[str]) -> bool:
    """Say whether names differ in one number or letter alone that follows a word like `part` or `images`."""
    split = [words(name) for name in names]
    if len({len(own) for own in split}) > 1:
        return False
    columns = list(zip(*split))
    differing = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    if len(differing) != 1 or not differing[0]:
        return False
    place = differing[0]
    return (columns[place - 1][0] in NUMBERED_WORDS
            and all(word.isdigit() or len(word) == 1 for word in columns[place]))

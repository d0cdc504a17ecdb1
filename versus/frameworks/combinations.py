"""Every combination of the conventions in which the frameworks differ: its features, and the heads trained on them.

One framework stands for all: with equal conventions they compute the same numbers (metrics/details/parity.json), or in
bfloat16 nearly the same (docs/speed.md).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts.feature_cache import fingerprint
from versus.artifacts.features import Features, FeaturesError, Statistics
from versus.frameworks.extraction import Backbones, build, extract
from versus.frameworks.training import Trainer, fit_seeds
from versus.images.dataset import Part
from versus.images.opening import is_jpeg
from versus.params import Framework
from versus.recipe.conventions import OF_FEATURES, FeatureConventions, Resolved
from versus.recipe.weights import Pretrained

# the modules that the features of a combination are computed by, apart from the framework's own
SOURCES = ["artifacts/features.py", "frameworks/extraction.py", "images/opening.py", "recipe/architectures.py",
           "recipe/draws.py", "recipe/pixels.py", "recipe/weights.py"]
OWN_SOURCES = ["backbone.py", "features.py", "networks.py", "runtime.py"]


def settings_of_combinations(settings: params.Params) -> params.Params:
    """Replace the views and seeds of the native runs by those of the section `explain`.

    Seeds beyond those of the native runs would have nothing to be compared with, so they are not trained.
    """
    extract = settings.extract.model_copy(update={"views": settings.explain.views})
    train = settings.train.model_copy(update={"seeds": min(settings.explain.seeds, settings.train.seeds)})
    return settings.model_copy(update={"extract": extract, "train": train})


def sources(framework: Framework) -> list[Path]:
    """List the modules on which the features of a combination depend, relative to the repository."""
    own = [*OWN_SOURCES, "pretrained.py"] if framework == "keras" else OWN_SOURCES  # its backbone takes weights by that
    return [Path("versus", source) for source in SOURCES] + [Path("versus/frameworks", framework, source)
                                                             for source in own]


def check_batches(settings: params.Params, resolved: Iterable[Resolved]) -> None:
    """Raise FeaturesError if the statistics of a batch are used in any combination and training has other batches.

    A feature then depends on its whole batch, so training must step through the same batches. `params.load` checks that
    for the conventions of a run, but those of another era can be others.
    """
    size, other = settings.extract.batch, settings.train.batch
    if size != other and any(conventions.batch_statistics for conventions in resolved):
        raise FeaturesError(f"got an extract.batch of {size}, a train.batch of {other}; expected equal ones, since "
                            "batch norm uses the statistics of the batch: change one of them")


def origin(settings: params.Params, framework: Framework, part: str, *files: Path) -> str:
    """Return the fingerprint of all that the features depend on, apart from the conventions in an entry's name.

    `part` is the one whose images are scored. `files` hold the images' checksums and parts, and the backbone's weights.
    """
    # no features depend on what is deployed or on how many machines compute; the test of dvc.yaml counts a key that is
    # dumped as one that is read
    model, compute = ({key: getattr(section, key) for key in type(section).model_fields if key != without}
                      for section, without in ((settings.model, "deploy"), (settings.compute, "cluster")))
    sections = [settings.extract.model_dump(), model, compute]
    passes = min(settings.train.epochs, settings.extract.views)  # which plain features the last epoch is scored by
    return fingerprint(part, *files, *sources(framework), *sections, settings.train.precision, passes)


def entries(combinations: Sequence[FeatureConventions], files: list[Path]) -> list[str]:
    """Name the entry of the feature cache that each combination needs; combinations with equal features share it.

    Without a JPEG file among the images, whatever their names, both decoders give the same pixels.
    """
    jpeg = any(map(is_jpeg, files))
    names = []
    for conventions in combinations:
        values = {name: getattr(conventions, name) for name in OF_FEATURES}
        if not jpeg:
            values["decode"] = "any"
        names.append("-".join(values.values()))
    return names


def first_of_each(entries: list[str], combinations: list[Resolved]) -> dict[str, Resolved]:
    """Map each entry to the first of the combinations that share it."""
    first: dict[str, Resolved] = {}
    for entry, combination in zip(entries, combinations):
        first.setdefault(entry, combination)
    return first


class FeatureComputer:
    """Compute the features of combinations in one framework, with one compiled backbone for each kind of batch norm.

    maker, own: the framework's modules `backbone` and `features`. train, plain: the files of the training images,
    and of other parts. known: features that need not be computed.
    """

    def __init__(self, maker: ModuleType, own: ModuleType, pretrained: Pretrained, settings: params.Params,
                 train: list[Path], plain: dict[str, list[Path]]):
        self.maker, self.own, self.pretrained, self.settings = maker, own, pretrained, settings
        self.train, self.plain = train, plain
        self.built: dict[str, tuple[Backbones, Statistics]] = {}
        self.known: dict[Resolved, Features] = {}

    def compute(self, combination: Resolved, title: str) -> Features:
        """Compute the features of one combination; `title` is the progress bar's."""
        if combination in self.known:
            return self.known[combination]
        if combination.batch_norm not in self.built:
            made = build(self.maker, self.settings, self.pretrained, combination.batch_norm)
            self.built[combination.batch_norm] = made, self.maker.statistics(made.plain)
        backbones, statistics = self.built[combination.batch_norm]
        for backbone in backbones:
            self.maker.set_statistics(backbone, statistics)  # the combination before may have changed them
        return extract(self.own, backbones, self.train, self.plain, self.settings, combination, title, last_pass=True)


def trainings(combinations: Sequence[Resolved], entries: Sequence[str]) -> np.ndarray:
    """Number the training that each combination needs, (combinations,), from 0 in the order of their first ones.

    `entries` names each combination's entry of the feature cache. Those that share entry, initial weights and Adam are
    trained alike.
    """
    kinds = [(entry, each.head_init, each.adam) for entry, each in zip(entries, combinations)]
    first = list(dict.fromkeys(kinds))
    return np.array([first.index(kind) for kind in kinds])


def fit_combinations(new_trainer: Callable[[list[int], float, str], Trainer], settings: params.Params,
                     combinations: Sequence[Resolved], entries: Sequence[str], read: Callable[[str], Features],
                     train: Part, part: str) -> Iterator[np.ndarray]:
    """Train the heads of all seeds for each of the `trainings` of the combinations of conventions.

    `read` returns an entry of the feature cache. `new_trainer` is a framework's `Trainer`. Yields, for each training
    and each of its seeds, the probabilities of the images of `part` after the last epoch, (images, classes).
    """
    _, first = np.unique(trainings(combinations, entries), return_index=True)
    trainers: dict[str, Trainer] = {}
    for number in tqdm(first, desc="combinations", disable=None):
        conventions, features = combinations[number], read(entries[number])
        if conventions.adam not in trainers:
            widths = [features.augmented.shape[2], settings.model.hidden, len(train.classes)]
            trainers[conventions.adam] = new_trainer(widths, settings.train.learning_rate, conventions.adam)
        trained = fit_seeds(trainers[conventions.adam], settings, conventions, features, train.labels, None, part=part)
        yield from (one.probabilities for one in trained)

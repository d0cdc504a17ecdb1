"""Features and heads of several splits are those of each split done by itself, without a look at what is left out."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

from tests.helpers.backbones import MODEL, distance
from tests.helpers.processors import needs_bfloat16
from versus import params
from versus.frameworks.extraction import build
from versus.frameworks.folds import VIEW_SETS, FoldFeatures, fit_folds
from versus.images.folds import Pool
from versus.recipe import draws
from versus.recipe.conventions import resolve
from versus.recipe.pixels import ImageBatches
from versus.recipe.weights import Pretrained

COMMITTED = params.load()
SETTINGS = COMMITTED.model_copy(update={
    "model": MODEL.model_copy(update={"hidden": 8}),
    "extract": COMMITTED.extract.model_copy(update={"views": 2, "batch": 3}),
    "train": COMMITTED.train.model_copy(update={"batch": 3, "seeds": 2, "epochs": 3})})
FROZEN, UPDATING = (resolve(params.Conventions.of("native"), framework) for framework in ("keras", "torch"))
KINDS = {"frozen": FROZEN, "batch": UPDATING, "batch_not_stored": replace(UPDATING, batch_norm="batch_not_stored")}
BOUND = 1e-4  # relative: float32 sums in another order


@pytest.fixture(scope="module")
def pool(photographs):
    """Twelve images in three folds, two of which are divided into two batches."""
    files = sorted(photographs.glob("*/*.jpg"))[6:18]
    folds = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 0])
    return Pool(files, [f"train/{file.name}" for file in files], np.arange(12) // 6, ["a", "b"], np.arange(12), folds)


@pytest.fixture(scope="module")
def new(own, tensors):
    """Compute the features of a pool: `new(kind, pool, precision)`."""
    distinct = {name: tensor / 4 if name.endswith("running_var") else tensor
                for name, tensor in tensors[MODEL.backbone].items()}

    def new(kind, pool, precision="full"):
        settings = SETTINGS.model_copy(update={"extract": SETTINGS.extract.model_copy(update={"precision": precision})})
        backbones = build(own.backbone, settings, Pretrained(distinct), kind)
        return FoldFeatures(own.backbone, own.features, backbones, pool, settings, KINDS[kind], None)

    return new


@pytest.fixture(scope="module", params=[*((kind, "full") for kind in KINDS), *(
    pytest.param((kind, "bfloat16"), marks=needs_bfloat16) for kind in ("frozen", "batch"))], ids="-".join)
def features(request, new, pool):
    kind, precision = request.param
    return new(kind, pool, precision)


def by_itself(own, features, number, left_out):
    """Do what a single split does: all its batches in order, view by view, then the images left out.

    Returns the augmented features by file, of the last view, and the plain ones.
    """
    pool, conventions = features.pool, features.conventions
    extract = SETTINGS.extract.model_copy(update={"seed": SETTINGS.extract.seed + number})
    for backbone in features.backbones:
        own.backbone.set_statistics(backbone, features.stored)
    records = draws.views(extract, len(pool.files))
    with tqdm(file=StringIO()) as bar:
        for view, of_folds in enumerate(draws.batches_of_folds(extract, pool.folds)):
            batches = [pool.members(fold)[batch] for fold, of_fold in enumerate(of_folds) if fold not in left_out
                       for batch in of_fold]
            order = np.concatenate(batches)
            starts = np.cumsum([0] + [len(batch) for batch in batches])
            images = ImageBatches([pool.files[image] for image in order],
                                  [np.arange(*ends) for ends in zip(starts, starts[1:])], MODEL.image_size,
                                  conventions.pixels, records[view][order], conventions.augment)
            augmented = dict(zip(order, own.features.apply(features.backbones.views, images,
                                                           conventions.batch_statistics, bar)))
        own.backbone.set_statistics(features.backbones.plain, own.backbone.statistics(features.backbones.views))
        held = np.concatenate([pool.members(fold) for fold in left_out])
        images = ImageBatches([pool.files[image] for image in held], [np.arange(len(held))], MODEL.image_size,
                              conventions.pixels)
        return augmented, own.features.apply(features.backbones.plain, images, False, bar)


@pytest.mark.parametrize("number, left_out", [(0, (1,)), (2, (0,)), (0, (0, 2))])
def test_features_are_those_of_the_split_by_itself(own, features, number, left_out):
    of_split, batches = features.of_split(number, left_out)
    augmented, plain = by_itself(own, features, number, left_out)
    rows = [image for fold in range(3) if fold not in left_out for image in features.pool.members(fold)]
    assert of_split.augmented.shape == (2, len(rows), 1280)
    assert distance(of_split.augmented[-1], np.stack([augmented[image] for image in rows])) < BOUND
    assert distance(of_split.plain["validation"][0], plain) < BOUND
    between = [distance(plain[[i]], plain[[j]]) for i in range(len(plain)) for j in range(i)]
    assert min(between) > 10 * BOUND  # so that rows in a wrong order would be seen
    for of_view in batches:
        assert sorted(np.concatenate(of_view)) == list(range(len(rows)))
        assert all(len({features.pool.folds[rows[row]] for row in batch}) == 1 for batch in of_view)


def test_statistics_are_those_of_the_batches_one_after_the_other(own, new, pool):
    features = new("batch", pool)
    by_itself(own, features, 0, (1,))
    expected, computed = own.backbone.statistics(features.backbones.views), features.statistics(0, (1,))
    for name, values in expected.items():
        np.testing.assert_allclose(computed[name], values, rtol=1e-3, atol=1e-5, err_msg=name)


def test_nothing_of_what_is_left_out_is_in_the_training_features(new, pool, tmp_path):
    """An image of fold 1 becomes another one: without fold 1, and in training mode, no bit of the others changes."""
    changed = pool.members(1)[0]
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / "noise.png")
    files = [tmp_path / "noise.png" if image == changed else file for image, file in enumerate(pool.files)]
    before, after = new("batch", pool), new("batch", replace(pool, files=files))
    for left_out in ((1,), (0, 1)):
        one, other = (each.of_split(0, left_out)[0] for each in (before, after))
        np.testing.assert_array_equal(one.augmented, other.augmented)
        differs = (one.plain["validation"][0] != other.plain["validation"][0]).any(axis=1)
        assert differs.sum() == 1
    one, other = (each.of_split(0, (0,))[0] for each in (before, after))
    assert (one.augmented != other.augmented).any() and (one.plain["validation"] != other.plain["validation"]).any()


class Recorder:
    """A trainer that remembers the rows it was trained on, and predicts class 1 for features it has not seen."""

    widths = [1280, 8, 2]

    def reset(self, weights):
        self.seen = set()

    def step(self, features, labels):
        self.seen |= {row.tobytes() for row in features}
        return 0.0

    def probabilities(self, features):
        unseen = np.array([row.tobytes() not in self.seen for row in features], float)
        return np.stack([1 - unseen, unseen], axis=1)

    def weights(self):
        return []


def test_every_image_is_predicted_by_heads_that_have_not_seen_its_fold(features):
    predicted, without_second = fit_folds(Recorder(), features, None)
    assert predicted.shape == (VIEW_SETS, 2, 12) and without_second.shape == (2, 2, 12)
    assert (predicted == 1).all() and (without_second == 1).all()


def test_many_folds_are_left_out_in_five_blocks(new, pool):
    """Of six folds two make a block: a head without it and another has seen neither."""
    predicted, without_second = fit_folds(Recorder(), new("frozen", replace(pool, folds=np.arange(12) // 2)), None)
    assert predicted.shape == (VIEW_SETS, 2, 12) and without_second.shape == (4, 2, 12)
    assert (predicted == 1).all() and (without_second == 1).all()


def test_heads_learn_what_tells_the_classes_apart(own, features):
    trainer = own.head.Trainer([1280, 8, 2], 0.01, features.conventions.adam)
    predicted, _ = fit_folds(trainer, features, None)
    again, _ = fit_folds(trainer, features, None)
    np.testing.assert_array_equal(predicted, again)
    assert set(np.unique(predicted)) <= {0, 1}

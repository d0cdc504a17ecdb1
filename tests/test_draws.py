"""What is random is drawn once, for both frameworks, and each kind of draw in a stream of its own."""

import hashlib

import numpy as np
import pytest

from versus.recipe import draws
from versus import params

COMMITTED = params.load()
IMAGES = 70  # no multiple of the batch of 32: the last one is short


def extract(**changes):
    return COMMITTED.extract.model_copy(update={"views": 3, "batch": 32} | changes)


def train(**changes):
    return COMMITTED.train.model_copy(update={"epochs": 4, "batch": 32} | changes)


def test_the_numbers_drawn_stay_the_same():
    """Model files and published figures depend on them: a change here means that all results are made anew."""
    digest = hashlib.sha256()
    digest.update(draws.views(extract(shear=10.0, zoom=0.2, flip=True, seed=0), 5).tobytes())
    for batch in draws.batches(extract(seed=0), IMAGES)[0]:
        digest.update(batch.astype("<i8").tobytes())
    for kernel, bias in draws.initial_weights(0, [6, 4, 2], "fan_in"):
        digest.update(kernel.tobytes() + bias.tobytes())
    assert digest.hexdigest()[:16] == "7aaed84acc4dac0d"


def test_views_lie_in_their_ranges_and_fill_them():
    drawn = draws.views(extract(shear=10.0, zoom=0.2, flip=True), 2000)
    assert drawn.shape == (3, 2000)
    for name, low, high in (("shear", -10, 10), ("zoom_x", 0.8, 1.2), ("zoom_y", 0.8, 1.2)):
        assert low <= drawn[name].min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < drawn[name].max() <= high
    assert 0.47 < drawn["flip"].mean() < 0.53
    assert abs(np.corrcoef(drawn["zoom_x"].ravel(), drawn["zoom_y"].ravel())[0, 1]) < 0.05  # drawn apart


@pytest.mark.parametrize("name, changes", [("shear", {"shear": 0.0}), ("zoom_x", {"zoom": 0.0}),
                                           ("zoom_y", {"zoom": 0.0}), ("flip", {"flip": False})])
def test_what_is_switched_off_changes_nothing_else(name, changes):
    drawn, without = draws.views(extract(), 50), draws.views(extract(**changes), 50)
    assert set(without[name].ravel()) == {1.0 if "zoom" in name else 0.0}
    others = set(drawn.dtype.names) - {name} - ({"zoom_x", "zoom_y"} if "zoom" in name else set())
    for other in others:
        np.testing.assert_array_equal(without[other], drawn[other])


def test_more_views_leave_the_first_as_they_are():
    few, more = extract(views=2), extract(views=5)
    np.testing.assert_array_equal(draws.views(more, IMAGES)[:2], draws.views(few, IMAGES))
    for one, other in zip(draws.batches(few, IMAGES), draws.batches(more, IMAGES)):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_batches_hold_each_image_once_a_view_in_orders_of_their_own():
    views = draws.batches(extract(), IMAGES)
    assert [len(batch) for batch in views[0]] == [32, 32, 6]
    for batches in views:
        assert sorted(np.concatenate(batches)) == list(range(IMAGES))
    assert len({tuple(np.concatenate(batches)) for batches in views}) == 3


def test_steps_take_each_image_once_an_epoch_in_any_view():
    epochs = list(draws.steps(7, train(), 3, IMAGES))
    assert [[len(batch) for batch in batches] for batches in epochs] == [[32, 32, 6]] * 4
    for batches in epochs:
        assert sorted(np.concatenate(batches) % IMAGES) == list(range(IMAGES))
        assert set(np.concatenate(batches) // IMAGES) == {0, 1, 2}
    assert len({tuple(np.concatenate(batches)) for batches in epochs}) == 4


def test_steps_by_batch_reorder_whole_batches_of_one_view():
    made = draws.batches(extract(), IMAGES)
    epochs = list(draws.steps_by_batch(7, train(epochs=9), made))
    views = [set(np.concatenate(batches) // IMAGES) for batches in epochs]
    assert {len(view) for view in views} == {1}
    assert set.union(*views) == {0, 1, 2}
    for (view,), batches in zip(views, epochs):
        expected = {tuple(view * IMAGES + batch) for batch in made[view]}
        assert {tuple(batch) for batch in batches} == expected
        assert len(batches[-1]) == min(map(len, batches))  # the short one comes last
    assert len({tuple(batches[0] % IMAGES) for batches in epochs}) > 3


def test_batches_of_folds_hold_one_fold_each_and_none_is_short():
    folds = np.repeat([1, 0, 2], [40, 33, 9])
    made = draws.batches_of_folds(extract(), folds)
    assert len(made) == 3  # views
    for of_folds in made:
        assert [sorted(map(len, of_fold)) for of_fold in of_folds] == [[16, 17], [20, 20], [9]]
        assert [sorted(np.concatenate(of_fold)) for of_fold in of_folds] == [list(range(33)), list(range(40)),
                                                                             list(range(9))]
    assert (made[0][1][0] != made[1][1][0]).any()


def test_even_batches_come_in_any_order():
    made = [[np.arange(number, number + 5) for number in range(0, 40, 5)]]
    firsts = [[batch[0] for batch in batches] for batches in draws.steps_by_batch(0, train(epochs=9), made, even=True)]
    assert all(sorted(first) == list(range(0, 40, 5)) for first in firsts)
    assert len({first[-1] for first in firsts}) > 3


def test_seeds_draw_apart_and_repeat():
    def rows(seed):
        return np.concatenate([np.concatenate(batches) for batches in draws.steps(seed, train(), 3, IMAGES)])

    np.testing.assert_array_equal(rows(0), rows(0))
    assert (rows(0) == rows(1)).mean() < 0.1
    first, other = (draws.initial_weights(seed, [6, 4, 2], "fan_in")[0][0] for seed in (0, 1))
    assert not np.isclose(first, other).any()


def test_initial_weights_of_both_conventions_are_the_same_numbers_scaled():
    widths = [1280, 128, 2]
    both = zip(*(draws.initial_weights(0, widths, name) for name in ("glorot", "fan_in")))
    for layer, (glorot, fan_in) in enumerate(both):
        inputs, outputs = widths[layer:layer + 2]
        assert glorot[0].shape == fan_in[0].shape == (inputs, outputs)
        assert glorot[1].shape == fan_in[1].shape == (outputs,)
        np.testing.assert_allclose(glorot[0] / np.sqrt(6 / (inputs + outputs)), fan_in[0] * np.sqrt(inputs), rtol=1e-12)
        assert not glorot[1].any() and fan_in[1].all()

"""The table of conventions and how it is resolved."""

from dataclasses import astuple

import pytest

from versus import params
from versus.params import Conventions
from versus.recipe import conventions
from versus.recipe.conventions import OF_FEATURES, TABLE


def test_native_is_each_frameworks_own_default():
    for framework in params.FRAMEWORKS:
        resolved = conventions.resolve(Conventions.of("native"), framework)
        assert vars(resolved) == {name: defaults[framework].value for name, defaults in TABLE.items()}
    assert conventions.differing(Conventions.of("native"), "keras", "torch") == list(TABLE)


@pytest.mark.parametrize("whose", params.FRAMEWORKS)
def test_all_makes_them_equal(whose):
    keras, torch = (conventions.resolve(Conventions.of(whose), framework) for framework in params.FRAMEWORKS)
    assert keras == torch
    assert conventions.differing(Conventions.of(whose), "keras", "torch") == []


@pytest.mark.parametrize("name", TABLE)
def test_one_alone_overrides_all(name):
    resolved = conventions.resolve(Conventions.of("keras", **{name: "torch"}), "keras")
    assert {key for key, value in vars(resolved).items() if value != TABLE[key]["keras"].value} == {name}
    planted = Conventions.of("keras", **{name: "native"})  # on PyTorch's side only
    assert conventions.resolve(planted, "keras") == conventions.resolve(Conventions.of("keras"), "keras")
    assert getattr(conventions.resolve(planted, "torch"), name) == TABLE[name]["torch"].value
    assert conventions.differing(planted, "keras", "torch") == [name]


def test_what_features_depend_on_is_resolved_alike():
    for framework in params.FRAMEWORKS:
        everything = conventions.resolve(Conventions.of("native"), framework)
        of_features = conventions.resolve_features(Conventions.of("native"), framework)
        assert vars(of_features) == {name: getattr(everything, name) for name in OF_FEATURES}
        assert of_features.pixels == everything.pixels == (everything.decode, everything.resize)


def test_params_and_table_name_the_same_conventions():
    assert set(Conventions.model_fields) == {"all", *TABLE}


def test_combinations_begin_with_keras_and_end_with_torch():
    section = Conventions.of("keras", adam="native", resize="native")
    keras, torch = (conventions.resolve(section, framework) for framework in params.FRAMEWORKS)
    combined = conventions.combinations(section, "keras", "torch")
    assert [combined[0], combined[-1]] == [keras, torch] and len(combined) == 4
    assert conventions.differing(section, "keras", "torch") == ["resize", "adam"]
    assert combined[1].resize == torch.resize and combined[1].adam == keras.adam  # bit 0 is the first that differs
    everything = conventions.combinations(Conventions.of("native"), "keras", "torch")
    assert len({astuple(each) for each in everything}) == 64


def test_combinations_in_the_other_order_are_the_same_backwards():
    section = Conventions.of("keras", adam="native", resize="native")
    forwards, backwards = (conventions.combinations(section, *order)
                           for order in (("keras", "torch"), ("torch", "keras")))
    assert forwards == backwards[::-1]


def test_a_framework_does_not_differ_from_itself():
    assert conventions.differing(Conventions.of("native"), "torch", "torch") == []
    assert len(conventions.combinations(Conventions.of("native"), "torch", "torch")) == 1

"""The table of conventions and how it is resolved."""

from dataclasses import astuple

import pytest

from versus import params
from versus.params import Conventions
from versus.recipe import conventions
from versus.recipe.conventions import OF_FEATURES, TABLE


def both(section, frameworks=("keras", "torch")):
    """Resolve a section for two frameworks."""
    return [conventions.resolve(section, framework) for framework in frameworks]


@pytest.mark.parametrize("era", params.ERAS)
def test_native_is_each_frameworks_own_default(era):
    for framework in params.FRAMEWORKS:
        resolved = conventions.resolve(Conventions.of("native", era=era), framework)
        assert vars(resolved) == {name: defaults[framework][era].value for name, defaults in TABLE.items()}


def test_frameworks_differ_in_everything_today_and_both_used_pillow_in_2018():
    assert conventions.differing(*both(Conventions.of("native"))) == list(TABLE)
    in_2018 = Conventions.of("native", era=2018)
    assert conventions.differing(*both(in_2018)) == [name for name in TABLE if name != "decode"]
    keras, torch = ([conventions.resolve(Conventions.of("native", era=era), framework) for era in (2018, "today")]
                    for framework in params.FRAMEWORKS)
    assert conventions.differing(*keras) == ["decode", "resize", "augment", "batch_norm"]
    assert conventions.differing(*torch) == ["augment", "adam"]


def test_a_section_is_taken_to_another_era():
    section = Conventions.of("torch", adam="keras")
    assert section.of_era(None) is section
    assert section.of_era(2018) == Conventions.of("torch", adam="keras", era=2018)


@pytest.mark.parametrize("era", params.ERAS)
@pytest.mark.parametrize("whose", params.FRAMEWORKS)
def test_all_makes_them_equal(whose, era):
    keras, torch = both(Conventions.of(whose, era=era))
    assert keras == torch and conventions.differing(keras, torch) == []


@pytest.mark.parametrize("name", TABLE)
def test_one_alone_overrides_all(name):
    resolved = conventions.resolve(Conventions.of("keras", **{name: "torch"}), "keras")
    assert {key for key, value in vars(resolved).items() if value != TABLE[key]["keras"]["today"].value} == {name}
    planted = Conventions.of("keras", **{name: "native"})  # on PyTorch's side only
    assert conventions.resolve(planted, "keras") == conventions.resolve(Conventions.of("keras"), "keras")
    assert getattr(conventions.resolve(planted, "torch"), name) == TABLE[name]["torch"]["today"].value
    assert conventions.differing(*both(planted)) == [name]


def test_what_features_depend_on_is_resolved_alike():
    for framework in params.FRAMEWORKS:
        everything = conventions.resolve(Conventions.of("native"), framework)
        of_features = conventions.resolve_features(Conventions.of("native"), framework)
        assert vars(of_features) == {name: getattr(everything, name) for name in OF_FEATURES}
        assert of_features.pixels == everything.pixels == (everything.decode, everything.resize)


def test_params_and_table_name_the_same_conventions():
    assert set(Conventions.model_fields) == {"era", "all", *TABLE}


def test_combinations_begin_with_keras_and_end_with_torch():
    section = Conventions.of("keras", adam="native", resize="native")
    keras, torch = both(section)
    combined = conventions.combinations(keras, torch)
    assert [combined[0], combined[-1]] == [keras, torch] and len(combined) == 4
    assert conventions.differing(keras, torch) == ["resize", "adam"]
    assert combined[1].resize == torch.resize and combined[1].adam == keras.adam  # bit 0 is the first that differs
    everything = conventions.combinations(*both(Conventions.of("native")))
    assert len({astuple(each) for each in everything}) == 64


def test_combinations_in_the_other_order_are_the_same_backwards():
    section = Conventions.of("keras", adam="native", resize="native")
    forwards, backwards = (conventions.combinations(*both(section, order))
                           for order in (("keras", "torch"), ("torch", "keras")))
    assert forwards == backwards[::-1]


def test_a_framework_does_not_differ_from_itself():
    twice = both(Conventions.of("native"), ("torch", "torch"))
    assert conventions.differing(*twice) == []
    assert len(conventions.combinations(*twice)) == 1

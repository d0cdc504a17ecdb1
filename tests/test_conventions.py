from pathlib import Path

import pytest

from versus.recipe import conventions
from versus import params
from versus.recipe.conventions import TABLE


def section(everything="native", **single):
    return params.Conventions(**dict.fromkeys(TABLE, "all") | {"all": everything} | single)


def test_native_is_each_frameworks_own_habit():
    for framework in params.FRAMEWORKS:
        resolved = conventions.resolve(section(), framework)
        assert vars(resolved) == {name: habits[framework].value for name, habits in TABLE.items()}
    assert not conventions.all_equal(section())


@pytest.mark.parametrize("whose", params.FRAMEWORKS)
def test_all_makes_them_equal(whose):
    keras, torch = (conventions.resolve(section(whose), framework) for framework in params.FRAMEWORKS)
    assert keras == torch
    assert conventions.all_equal(section(whose))


@pytest.mark.parametrize("name", TABLE)
def test_one_alone_overrides_all(name):
    found = conventions.resolve(section("keras", **{name: "torch"}), "keras")
    differing = {key for key, value in vars(found).items() if value != TABLE[key]["keras"].value}
    assert differing == {name}
    planted = section("keras", **{name: "native"})  # on PyTorch's side only
    assert conventions.resolve(planted, "keras") == conventions.resolve(section("keras"), "keras")
    assert getattr(conventions.resolve(planted, "torch"), name) == TABLE[name]["torch"].value


def test_params_and_table_name_the_same_conventions():
    assert set(params.Conventions.model_fields) == {"all", *TABLE}


def test_the_readme_shows_the_table():
    assert conventions.markdown() in (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

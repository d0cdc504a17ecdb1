"""The feature cache is filled entry by entry: an interrupted run resumes, nothing stale or foreign is used."""

import numpy as np
import pytest

from versus import params
from versus.artifacts import feature_cache
from versus.artifacts.features import Features


class Computer:
    """Compute features that tell their combination, and stop at number `interrupted` as a killed process does."""

    def __init__(self, interrupted=None):
        self.combinations, self.titles, self.interrupted = [], [], interrupted

    def __call__(self, combination, title):
        if len(self.combinations) == self.interrupted:
            raise KeyboardInterrupt
        self.combinations.append(combination)
        self.titles.append(title)
        return Features(np.full((1, 3, 2), combination, np.float32), {"validation": np.ones((1, 2, 2), np.float32)})


def test_an_interrupted_run_resumes_with_the_next_entry(tmp_path):
    needed = {"a": 1, "b": 2, "c": 3}
    with pytest.raises(KeyboardInterrupt):
        feature_cache.prepare(tmp_path, needed, "origin", Computer(interrupted=1))
    (tmp_path / "b.unfinished").write_bytes(b"half an entry")
    rest = Computer()
    feature_cache.prepare(tmp_path, needed, "origin", rest)
    assert rest.combinations == [2, 3] and rest.titles == ["features 1 of 2: b", "features 2 of 2: c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors", "c.safetensors"]
    for entry, combination in needed.items():
        features = feature_cache.read(tmp_path, entry)
        assert (features.augmented == combination).all() and (features.plain["validation"] == 1).all()
    again = Computer()
    feature_cache.prepare(tmp_path, needed, "origin", again)
    assert not again.combinations


def test_stale_foreign_and_broken_entries_are_computed_again(tmp_path):
    feature_cache.prepare(tmp_path, {"a": 1, "b": 2}, "earlier", Computer())
    other = Computer()
    feature_cache.prepare(tmp_path, {"a": 5}, "origin", other)
    assert other.combinations == [5] and [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    (tmp_path / "a.safetensors").write_bytes(b"truncated")
    last = Computer()
    feature_cache.prepare(tmp_path, {"a": 6}, "origin", last)
    assert last.combinations == [6] and (feature_cache.read(tmp_path, "a").augmented == 6).all()


def test_the_fingerprint_is_of_contents_and_values(tmp_path):
    for name, content in (("one", "x"), ("same", "x"), ("other", "y")):
        (tmp_path / name).write_text(content)
    model = params.load().model
    one = feature_cache.fingerprint(tmp_path / "one", model.model_dump())
    assert one == feature_cache.fingerprint(tmp_path / "same", model.model_dump())
    assert one != feature_cache.fingerprint(tmp_path / "other", model.model_dump())
    assert one != feature_cache.fingerprint(tmp_path / "one", model.model_dump() | {"image_size": 64})

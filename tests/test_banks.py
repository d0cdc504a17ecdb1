"""Banks are made one by one: what was finished before a cut is found again, what is stale or foreign is not."""

import numpy as np
import pytest
from PIL import Image

from versus.artifacts import feature_cache as banks
from versus.recipe import conventions
from versus import params
from versus.recipe.conventions import TABLE
from versus.artifacts.features import Features


def features(number):
    return Features(train=[np.full((3, 2), number, np.float32)], validation=[np.ones((2, 2), np.float32)])


class Maker:
    """Make features that tell how many were made, and stop at the one numbered `cut` as a killed process does."""

    def __init__(self, cut=None):
        self.made, self.labels, self.cut = [], [], cut

    def __call__(self, combination, label):
        if len(self.made) == self.cut:
            raise KeyboardInterrupt
        self.made.append(combination)
        self.labels.append(label)
        return features(combination)


def test_a_cut_run_goes_on_with_the_next_bank(tmp_path):
    needed = {"a": 1, "b": 2, "c": 3}
    with pytest.raises(KeyboardInterrupt):
        banks.prepare(tmp_path, needed, "origin", Maker(cut=1))
    (tmp_path / "b.unfinished").write_bytes(b"half a bank")
    rest = Maker()
    banks.prepare(tmp_path, needed, "origin", rest)
    assert rest.made == [2, 3] and rest.labels == ["bank 1 of 2: b", "bank 2 of 2: c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors", "c.safetensors"]
    for bank, number in needed.items():
        assert (banks.read(tmp_path, bank).train == number).all()
    again = Maker()
    banks.prepare(tmp_path, needed, "origin", again)
    assert not again.made


def test_stale_foreign_and_broken_banks_are_made_anew(tmp_path):
    banks.prepare(tmp_path, {"a": 1, "b": 2}, "earlier", Maker())
    other = Maker()
    banks.prepare(tmp_path, {"a": 5}, "origin", other)
    assert other.made == [5] and [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    (tmp_path / "a.safetensors").write_bytes(b"cut off")
    last = Maker()
    banks.prepare(tmp_path, {"a": 6}, "origin", last)
    assert (banks.read(tmp_path, "a").train == 6).all()


def test_fingerprint_is_of_contents_and_values(tmp_path):
    for name, content in (("one", "x"), ("same", "x"), ("other", "y")):
        (tmp_path / name).write_text(content)
    one = banks.fingerprint(tmp_path / "one", params.load().model)
    assert one == banks.fingerprint(tmp_path / "same", params.load().model)
    assert one != banks.fingerprint(tmp_path / "other", params.load().model)
    assert one != banks.fingerprint(tmp_path / "one", params.load().model.model_copy(update={"image_size": 64}))


def test_decoders_share_a_bank_where_no_file_is_jpeg(tmp_path):
    section = params.Conventions(**dict.fromkeys(TABLE, "all") | {"all": "native"})
    keras, torch = (conventions.resolve(section, framework, ["decode"]) for framework in params.FRAMEWORKS)
    picture = Image.new("RGB", (8, 8))
    picture.save(tmp_path / "one.png")
    picture.save(tmp_path / "two.png", format="JPEG")  # what counts is what a file holds
    assert not banks.any_jpeg([tmp_path / "one.png"]) and banks.any_jpeg(tmp_path.iterdir())
    for jpeg in (False, True):
        names = [banks.name(conventions.resolve(section, each), jpeg) for each in params.FRAMEWORKS]
        decoders = [name.split("-")[0] for name in names]
        assert decoders == (["any", "any"] if not jpeg else [keras.decode, torch.decode])

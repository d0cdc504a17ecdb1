"""`python -m versus use FOLDER` says what a folder holds and sets it in params.yaml, or says why not."""

import os
import subprocess
import sys

import pytest

from tests.helpers.cases import lay, write
from tests.helpers.paths import ROOT
from versus import params


@pytest.fixture
def place(tmp_path):
    """A folder with the committed params.yaml."""
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone/params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return tmp_path / "clone"


def use(place, *arguments):
    return subprocess.run([sys.executable, "-m", "versus", "use", *map(str, arguments)], cwd=place, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize("name", ["plain", "mit Umläuten, Leerzeichen", "a=b", "#1", "~x", "{a}", "it's \"quoted\"",
                                  "a: b", "日本", "$HOME", "-dash"])
def test_any_path_is_stored_and_comments_stay(place, tmp_path, monkeypatch, name):
    lay(tmp_path / name, "a", "b")
    before = (place / "params.yaml").read_text().splitlines()
    done = use(place, os.path.join("..", name))
    assert done.returncode == 0, done.stderr
    assert "6 images of 2 classes: 'a' 3, 'b' 3" in done.stdout
    monkeypatch.chdir(place)
    data = params.load().data
    assert (data.source, data.folder, data.labels) == ("folder", str(tmp_path / name), "")
    after = (place / "params.yaml").read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 2 and all("# " in line for line in changed)


def test_a_folder_in_the_repository_is_stored_as_every_clone_has_it(place, monkeypatch):
    lay(place / "data/my images", "a", "b")
    assert use(place, place / "data/my images").returncode == 0
    monkeypatch.chdir(place)
    assert params.load().data.folder == "data/my images"


def test_a_folder_that_is_gone_is_no_obstacle_to_another(place, tmp_path):
    for name in ("one", "other"):
        lay(tmp_path / name, "a", "b")
        assert use(place, tmp_path / name).returncode == 0
        (tmp_path / name).rename(tmp_path / f"{name} elsewhere")


def test_what_is_left_out_is_said_and_tables_are_set(place, tmp_path):
    lay(tmp_path / "mine", "part_1", "part_2", count=4)
    for number, path in enumerate(sorted((tmp_path / "mine").glob("*/*.png"))):
        path.rename(path.with_name(f"x{number}.png"))
    write(tmp_path / "mine/t.csv", "id,label\n" + "".join(f"x{number},{'ab'[number % 2]}\n" for number in range(6)))
    refused = use(place, tmp_path / "mine")
    assert refused.returncode == 1 and "set data.labels to 't.csv'" in refused.stderr
    assert (place / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    done = use(place, tmp_path / "mine", "--labels", "t.csv")
    assert done.returncode == 0 and "left out, unlabelled: not in the table of labels: 2" in done.stdout
    assert '  labels: "t.csv" ' in (place / "params.yaml").read_text()


def test_a_column_of_groups_is_forgotten_with_its_table(place, tmp_path):
    lay(tmp_path / "mine", "a", "b")
    text = (place / "params.yaml").read_text()
    text = text.replace('  labels: ""', '  labels: "t.csv"').replace('  group_column: ""', '  group_column: "patient"')
    (place / "params.yaml").write_text(text)
    assert use(place, tmp_path / "mine").returncode == 0
    assert '  group_column: "" ' in (place / "params.yaml").read_text()


def test_a_folder_that_is_not_there_is_refused(place):
    done = use(place, "nowhere")
    assert done.returncode == 1 and done.stderr == "ERROR: got 'nowhere', which is no folder; expected one of images\n"


def test_the_check_names_what_dvc_cannot_hash(place, tmp_path):
    lay(tmp_path / "mine", "a", "b")
    assert use(place, tmp_path / "mine").returncode == 0
    os.symlink("/nowhere/gone.jpg", tmp_path / "mine/a/gone.jpg")
    os.symlink(tmp_path / "mine/b", tmp_path / "mine/c")
    (place / "data").mkdir()
    done = subprocess.run([sys.executable, "-m", "stages.check"], cwd=place, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "links to nothing (1), 'a/gone.jpg'" in done.stderr and "links to folders (1), 'c'" in done.stderr

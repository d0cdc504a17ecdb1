"""params.yaml is valid as committed, and a mistake in it is refused with its line and what to do."""

import pytest
import yaml

from tests.helpers.paths import ROOT
from versus import params

COMMITTED = (ROOT / "params.yaml").read_text(encoding="utf-8")
VALUES = yaml.safe_dump(yaml.safe_load(COMMITTED), sort_keys=False)  # without comments, one key a line


def change(section, line):
    """Return VALUES with one line of a section changed, and the number of that line: `"train", "epochs: 5"`.

    A line with an unknown key replaces the section's first one.
    """
    lines = VALUES.splitlines()
    start = lines.index(f"{section}:") + 1
    key = line.split(":")[0]
    same = [number for number in range(start, len(lines)) if lines[number].startswith(f"  {key}:")]
    number = same[0] if same and all(each.startswith("  ") for each in lines[start:same[0]]) else start
    lines[number] = f"  {line}"
    return "\n".join(lines), number + 1


def load(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return params.load(path)


def test_the_committed_file_is_valid_and_frozen():
    settings = params.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.train.epochs = 5


@pytest.mark.parametrize("section, line, expected", [
    ("train", "epoch: 3", "train.epoch: unknown key; did you mean 'train.epochs'?"),
    ("train", "epochs: three", "train.epochs: got 'three'"),
    ("train", "epochs: 0", "train.epochs: got 0; input should be greater than or equal to 1"),
    ("train", "epochs: true", "train.epochs: got True"),
    ("split", "published: 1", "split.published: got 1"),
    ("extract", "epochs: 2", "extract.epochs: unknown key; did you mean 'train.epochs'?"),
    ("data", "source: samples", "data.source: got 'samples'; input should be 'sample', 'kaggle', "),
    ("conventions", "decode: tensorflow", "conventions.decode: got 'tensorflow'"),
    ("data", "kaggle: pmigdal/alien-vs-predator-images", "data.kaggle: got 'pmigdal/alien-vs-predator-images'"),
    ("model", "weights: native", "model.weights: got 'native' with backbone 'efficientnet_lite0'"),
])
def test_a_mistake_is_refused_with_its_line(tmp_path, section, line, expected):
    text, number = change(section, line)
    with pytest.raises(params.ParamsError) as caught:
        load(tmp_path, text)
    assert f"params.yaml:{number}: {expected}" in str(caught.value)


def test_an_unknown_section_is_refused_with_its_line(tmp_path):
    number = 1 + VALUES[:VALUES.index("train:")].count("\n")
    with pytest.raises(params.ParamsError) as caught:
        load(tmp_path, VALUES.replace("train:", "trian:", 1))
    assert f"params.yaml:{number}: trian: unknown key; did you mean 'train'?" in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    text = VALUES.replace("  epochs: 3", "  epochs: 0").replace("  hidden: 128", "  hidden: many")
    with pytest.raises(params.ParamsError) as caught:
        load(tmp_path, text)
    assert ["model.hidden" in line for line in str(caught.value).splitlines()] == [True, False]


def test_paths_that_lead_to_nothing_are_named_with_their_lines(tmp_path):
    text = VALUES.replace("  source: sample\n  folder: data/none", "  source: folder\n  folder: data/none/none")
    text = text.replace("  weights: shared", "  weights: none.safetensors")
    path = tmp_path / "params.yaml"
    assert not params.missing_paths(load(tmp_path, VALUES), path)
    missing = params.missing_paths(load(tmp_path, text), path)  # `load` takes it: few stages need what is missing
    lines = text.splitlines()
    for key, line, what in (("data.folder", "  folder: data/none/none", "'data/none/none', which is no folder"),
                            ("model.weights", "  weights: none.safetensors", "'none.safetensors', which is no file")):
        assert f"params.yaml:{lines.index(line) + 1}: {key}: got {what}; expected " in missing[key]


def test_batch_statistics_need_one_batch_size(tmp_path):
    text, _ = change("train", "batch: 16")
    with pytest.raises(params.ParamsError, match="extract.batch: got 32 with train.batch 16"):
        load(tmp_path, text)
    assert load(tmp_path, text.replace("  all: native", "  all: keras")).train.batch == 16  # batch norm is frozen


def test_bfloat16_needs_heads_of_float32(tmp_path):
    text, _ = change("extract", "precision: bfloat16")
    assert load(tmp_path, text).extract.precision == "bfloat16"
    with pytest.raises(params.ParamsError, match="extract.precision: got 'bfloat16' with train.precision 'float64'.*"):
        load(tmp_path, text.replace("precision: float32", "precision: float64"))


def test_two_splits_are_refused(tmp_path):
    assert load(tmp_path, VALUES.replace("  splits: 1", "  splits: 3")).compare.splits == 3
    with pytest.raises(params.ParamsError, match=r"yaml:\d+: compare.splits: got 2; expected 1 .* or 3 and more"):
        load(tmp_path, VALUES.replace("  splits: 1", "  splits: 2"))
    several = VALUES.replace("  splits: 1", "  splits: 2").replace("background: white", "background: nocolour")
    with pytest.raises(params.ParamsError, match=r"data.background: got 'nocolour'; expected the .*\n.*compare.splits"):
        load(tmp_path, several)


def test_a_column_of_groups_needs_a_table(tmp_path):
    text = VALUES.replace("  group_column: ''", "  group_column: patient")
    with pytest.raises(params.ParamsError, match="data.group_column: got 'patient' without a table of labels; exp"):
        load(tmp_path, text)
    assert load(tmp_path, text.replace("  labels: ''", "  labels: t.csv")).data.group_column == "patient"


def test_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(params.ParamsError, match="run from the top of the repository"):
        params.load(tmp_path / "params.yaml")
    with pytest.raises(params.ParamsError, match="not YAML"):
        load(tmp_path, VALUES.replace("zoom: 0.2", "zoom: [0.2"))


def test_every_key_is_commented():
    for number, line in enumerate(COMMITTED.splitlines(), 1):
        assert not line.startswith("  ") or "#" in line, number

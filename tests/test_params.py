import pytest

from versus import params

COMMITTED = open("params.yaml", encoding="utf-8").read()


def load(tmp_path, old, new):
    path = tmp_path / "params.yaml"
    assert old in COMMITTED
    path.write_text(COMMITTED.replace(old, new, 1), encoding="utf-8")
    return params.load(path)


def line_of(text):
    return 1 + COMMITTED[:COMMITTED.index(text)].count("\n")


def test_the_committed_file_is_valid_and_frozen():
    chosen = params.load()
    with pytest.raises(ValueError, match="frozen"):
        chosen.train.epochs = 5


@pytest.mark.parametrize("old, new, expected", [
    ("  epochs: 3", "  epoch: 3", "train.epoch: unknown key; did you mean 'train.epochs'?"),
    ("  epochs: 3", "  epochs: three", "train.epochs: got 'three'"),
    ("  epochs: 3", "  epochs: 0", "train.epochs: got 0; input should be greater than or equal to 1"),
    ("  epochs: 3", "  epochs: true", "train.epochs: got True"),
    ("  published: true", "  published: 1", "split.published: got 1"),
    ("  views: 2                         # augmented views kept", "  epochs: 2  # augmented views kept",
     "extract.epochs: unknown key; did you mean 'train.epochs'?"),
    ("train:", "trian:", "trian: unknown key; did you mean 'train'?"),
    ("  source: sample", "  source: samples", "data.source: got 'samples'; input should be 'sample', 'kaggle', "),
    ("  decode: all", "  decode: tensorflow", "conventions.decode: got 'tensorflow'"),
    ("  kaggle: pmigdal/alien-vs-predator-images/versions/1", "  kaggle: pmigdal/alien-vs-predator-images",
     "data.kaggle: got 'pmigdal/alien-vs-predator-images'"),
    ("  weights: shared", "  weights: none.safetensors", "model.weights: got 'none.safetensors', which is no file"),
    ("  weights: shared", "  weights: native", "model.weights: got 'native' with backbone 'efficientnet_lite0'"),
])
def test_a_mistake_is_refused_with_its_line(tmp_path, old, new, expected):
    with pytest.raises(params.ParamsError) as caught:
        load(tmp_path, old, new)
    assert f"params.yaml:{line_of(old)}: {expected}" in str(caught.value)


def test_a_folder_that_is_none_is_refused(tmp_path):
    message = r"params.yaml:\d+: data.folder: got 'data/images/none', which is no fold"
    with pytest.raises(params.ParamsError, match=message):
        load(tmp_path, "source: sample                   # sample | kaggle | folder | synthetic\n  folder: data/images",
             "source: folder\n  folder: data/images/none")


def test_batch_norm_in_training_mode_needs_one_batch_size(tmp_path):
    with pytest.raises(params.ParamsError, match="extract.batch: got 32 with train.batch 16"):
        load(tmp_path, "  batch: 32                        # images a step", "  batch: 16")
    with_frozen = COMMITTED.replace("  batch: 32                        # images a step", "  batch: 16")
    path = tmp_path / "frozen.yaml"
    path.write_text(with_frozen.replace("  all: native", "  all: keras"))
    assert params.load(path).train.batch == 16


def test_missing_file_and_broken_yaml(tmp_path):
    with pytest.raises(params.ParamsError, match="run from the top of the repository"):
        params.load(tmp_path / "params.yaml")
    with pytest.raises(params.ParamsError, match="not YAML"):
        load(tmp_path, "zoom: 0.2", "zoom: [0.2")


def test_every_key_is_commented():
    for number, line in enumerate(COMMITTED.splitlines(), 1):
        assert not line.startswith("  ") or "#" in line, number

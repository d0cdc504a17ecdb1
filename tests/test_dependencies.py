"""dvc.yaml names exactly what each stage uses: its modules, keys of params.yaml, data, and what it writes.

DVC itself follows neither imports nor reads: a missing name means a stale result, a superfluous one a stage that runs
for nothing. Each stage runs for real, in a folder that holds nothing but its deps and params.yaml.
"""

import json
import os
import shlex
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from tests.helpers import deps, pipeline
from tests.helpers.kaggle_server import KaggleServer
from tests.helpers.packages import AT_START, LARGE, LATER, OF_FRAMEWORK, framework_of
from tests.helpers.paths import ROOT
from versus.frameworks import COMPETITORS
from versus.params import Params

STAGES = pipeline.stages() | pipeline.stages(ROOT / "eras")
DRIVER = ROOT / "tests/helpers/record_stage.py"
ENGINES = {"jax", "tensorflow", "torch"}
BOTH_BATCH_NORMS = [{"conventions.all": "keras"}, {"conventions.all": "torch"}]
# where a stage reads some keys in some settings only: settings which together read them all
SETTINGS = {
    "download": [{"data.source": "synthetic"}, {"data.source": "sample"}, {"data.source": "kaggle"},
                 {"data.source": "folder", "data.folder": "photographs", "data.labels": "classes.csv"}],
    "weights": [{}, {"model.weights": "data/weights/mine.safetensors"}],
    **dict.fromkeys(("train_keras", "train_torch", "splits_keras", "splits_torch"), BOTH_BATCH_NORMS),
    # resnet50 may have weights of each framework's own
    "controls": BOTH_BATCH_NORMS,
    "parity": [{}, {"model.backbone": "resnet50"}],
    # completeness is judged where the views are those of the native runs
    "explain": [{}, {"model.backbone": "resnet50"}, {"explain.views": pipeline.SMALL["extract.views"]}],
    "combinations": [{"explain.views": pipeline.SMALL["extract.views"]}],  # then PyTorch's own features are used, too
}
# keys that stages read although nothing they write depends on them: tests/test_cluster.py compares the bytes
WITHOUT_EFFECT = {"compute.cluster"}
# deps that no stage reads: they are there for the order, since `check` has to come before any work
FOR_THE_ORDER = {("download", "data/params.schema.json"), ("weights", "data/params.schema.json")}


# modules

def test_deps_name_the_modules_that_are_imported():
    """`make deps` writes them; DVC needs them written out, since it does not follow imports."""
    for path in deps.PIPELINES:
        text = path.read_text(encoding="utf-8")
        assert deps.write(text) == text, "run `make deps`"


@pytest.mark.parametrize("stage", STAGES)
def test_data_comes_first_in_deps(stage):
    code = [dep.endswith(".py") for dep in STAGES[stage]["deps"]]
    assert code == sorted(code)


def test_the_list_of_modules_follows_the_code():
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    swapped = deps.write(text.replace("stages.train torch", "stages.train keras"))
    entry = swapped[swapped.index("train_torch:"):swapped.index("predict_keras:")]
    assert "versus/frameworks/keras/head.py" in entry and "versus/frameworks/torch" not in entry
    with pytest.raises(ValueError, match="stage 'check' has no line"):
        deps.write(text.replace(deps.MARK, "", 1))


# keys, data and outputs

class Folder:
    """What one stage needs by dvc.yaml, alone in a folder: run there, it shows what it reads and writes."""

    def __init__(self, clone, stage, changes, folder):
        self.folder, self.stage = folder, stage
        folder.mkdir()
        (folder / "data").mkdir()  # which every clone has
        clone.set(changes, folder / "params.yaml")
        self.deps = [dep.replace("${data.folder}", changes.get("data.folder", "data/none"))
                     for dep in STAGES[stage]["deps"]]
        for dep in self.deps:
            copy(clone.folder / ("data/raw" if dep == "photographs" else dep), folder / dep)
        if "data.labels" in changes:
            images = sorted((folder / "photographs").rglob("*.*"))
            rows = [f"{image.relative_to(folder / 'photographs').as_posix()},{image.parent.name}" for image in images]
            (folder / "photographs" / changes["data.labels"]).write_text("\n".join(["file,label", *rows]) + "\n")
        if "model.weights" in changes:
            copy(clone.folder / "models/backbone.safetensors", folder / changes["model.weights"])
        # The file system notes when a file was last read. With all times of access set to 0, whatever has another one
        # after the stage has run was read by it: mounted with `relatime`, as usual, the first read sets the time.
        self.before = list(folder.rglob("*"))
        for path in self.before:
            os.utime(path, (0, path.stat().st_mtime))
        self.modified = {path: path.stat().st_mtime for path in self.before}

    def read(self):
        """The data deps, and params.yaml, of which something has been read; of folders, listing them counts."""
        read = [path for path in self.before if path.exists() and path.stat().st_atime > 0]
        return {dep for dep in {*self.deps, "params.yaml"} if not dep.endswith(".py")
                and any((self.folder / dep) in (path, *path.parents) for path in read)}

    def written(self):
        """The outs below which there are files; and files, new or changed, that are below none."""
        files = [path for path in self.folder.rglob("*") if path.is_file()
                 and path.stat().st_mtime != self.modified.get(path)]
        return {next((out for out in outs_of(self.stage) if (self.folder / out) in (file, *file.parents)),
                     file.relative_to(self.folder).as_posix()) for file in files}


def copy(source, target):
    """Copy a file or a folder to `target`, over what another dep has put there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def outs_of(stage):
    """The paths of a stage's outs."""
    return [next(iter(out)) if isinstance(out, dict) else out for out in STAGES[stage]["outs"]]


def record(clone, stage, top, environment):
    """Run a stage in all its settings: the report of `record_stage`, and the `Folder`s."""
    folders = [Folder(clone, stage, changes, top / f"{stage}{number}")
               for number, changes in enumerate(SETTINGS.get(stage, [{}]))]
    report = top / f"{stage}.json"
    recorder = pipeline.Clone(clone.folder)
    recorder.environment |= environment
    _, _, module, *arguments = shlex.split(STAGES[stage]["cmd"])
    recorder.output("python", str(DRIVER), str(report), module, json.dumps(arguments),
                    *(str(each.folder) for each in folders))
    return json.loads(report.read_text()), folders


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory):
    """Serve drawn images as Kaggle's server; give the environment of a client without an account."""
    clone, _ = pipeline.finished(tmp_path_factory)
    home = str(tmp_path_factory.mktemp("home"))
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in (clone.folder / "data/raw").glob("*/*"):
            archive.write(file, file.relative_to(clone.folder / "data/raw"))
    with KaggleServer({("pmigdal", "alien-vs-predator-images"): [content.getvalue()]}) as server:
        yield {"HOME": home, "KAGGLE_CONFIG_DIR": home, "KAGGLEHUB_CACHE": f"{home}/cache",
               "HTTP_PROXY": server.address, "http_proxy": server.address, "NO_PROXY": "", "no_proxy": "",
               "KAGGLE_API_ENVIRONMENT": "LOCALHOST"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, kaggle):
    """Start all stages, two at a time: {stage: a future of what `record` returns}."""
    clone, first = pipeline.finished(tmp_path_factory)
    assert first.returncode == 0, first.stdout
    top = tmp_path_factory.mktemp("stages")
    with ThreadPoolExecutor(2) as executor:
        environment = {"PYTHONDONTWRITEBYTECODE": "1"}
        yield {stage: executor.submit(record, clone, stage, top, environment | (kaggle if stage == "download" else {}))
               for stage in STAGES}


def result(recorded, stage):
    """Wait for what `record` returns; where the stage fails, so does the test, with the stage's own words alone."""
    try:
        return recorded[stage].result()
    except AssertionError as error:
        pytest.fail(str(error), pytrace=False)


def declared(stage):
    """The dotted names of the keys in a stage's params; of a section all."""
    sections = {name: field.annotation.model_fields for name, field in Params.model_fields.items()}
    names = [[f"{name}.{key}" for key in sections[name]] if name in sections else [name]
             for name in STAGES[stage].get("params", [])]
    return sorted(sum(names, []))


@pytest.fixture(scope="module")
def times_of_access(tmp_path_factory):
    """Skip where the file system does not note that a file has been read."""
    probe = tmp_path_factory.mktemp("probe") / "file"
    probe.write_text("x")
    os.utime(probe, (0, probe.stat().st_mtime))
    probe.read_text()
    if not probe.stat().st_atime:
        pytest.skip(f"{probe.parent} is mounted with noatime: what a stage reads cannot be seen")


@pytest.mark.parametrize("stage", STAGES)
def test_params_name_the_keys_that_are_read(stage, recorded):
    report, _ = result(recorded, stage)
    if "params.yaml" in STAGES[stage]["deps"]:  # of which every key counts
        assert not declared(stage)
    else:
        assert declared(stage) == sorted({*report["keys"]} - WITHOUT_EFFECT)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_loads_one_engine_at_most_and_no_module_that_is_no_dep(stage, recorded):
    report, _ = result(recorded, stage)
    engines = ENGINES.intersection(report["loaded"])
    assert len(engines) <= 1
    if stage.startswith(("extract_", "train_", "predict_")):
        assert engines == {COMPETITORS[stage.partition("_")[2]].backend}
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in STAGES[stage]["deps"]
               if path.endswith(".py")}
    packages = {".".join(module.split(".")[:length])
                for module in modules for length in range(1, module.count(".") + 1)}
    loaded = {name for name in report["loaded"] if name.split(".")[0] == "versus"}
    assert loaded <= modules | packages | {"versus"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_loads_no_package_that_it_does_not_use(stage, recorded):
    """Neither at its start nor later: `tests.test_startup` sees the start alone."""
    report, _ = result(recorded, stage)
    brought = OF_FRAMEWORK[framework_of(STAGES[stage]["cmd"])]
    assert LARGE.intersection(report["loaded"]) <= AT_START[stage] | LATER.get(stage, set()) | brought


@pytest.mark.parametrize("stage", STAGES)
def test_deps_name_the_data_that_is_read(stage, recorded, times_of_access):
    _, folders = result(recorded, stage)
    expected = {dep for folder in folders for dep in folder.deps if not dep.endswith(".py")}
    expected -= {dep for name, dep in FOR_THE_ORDER if name == stage}
    if "params" in STAGES[stage]:
        expected.add("params.yaml")
    read = set().union(*(folder.read() for folder in folders))
    if stage == "download":
        read.add("data/none")  # of the other sources
    if "data/predictions/keras.csv" in read:  # large ones are read from the arrays beside it
        read |= {"data/predictions/keras.npy", "data/predictions/torch.npy"}
    assert read == expected


@pytest.mark.parametrize("stage", STAGES)
def test_outs_name_what_is_written(stage, recorded):
    _, folders = result(recorded, stage)
    for folder in folders:
        assert folder.written() == set(outs_of(stage))

"""The pipeline for real, in a clone of the working tree as it stands: with git and a DVC cache of its own."""

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.helpers.paths import ROOT
from tests.helpers.processes import PATIENT

RESULTS = ("dvc.lock", "metrics", ".github", "docs")  # not copied: what earlier runs left, and what no run needs
SMALL = {
    "data.source": "synthetic", "data.classes": 2, "data.per_class": 16,
    "model.image_size": 64,
    "extract.views": 2, "extract.batch": 8,
    "train.seeds": 2, "train.epochs": 2, "train.batch": 8,
    "conventions.decode": "keras", "conventions.augment": "keras",  # 16 combinations to explain instead of 64
    "compare.bootstrap": 200, "compare.splits": 3,
    "explain.views": 1, "explain.seeds": 2,
}
KILLED = {"extract_torch": "data/features/torch", "train_keras": "models/keras"}  # stage: what it writes first


class Clone:
    """A copy of the repository's files in `folder`, in which DVC and git run as a user would run them."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.images = self.folder.with_name(f"{self.folder.name}.images")  # what `restore` puts into data/raw
        folders = {"DVC_SITE_CACHE_DIR": str(self.folder.with_name(f"{self.folder.name}.dvc"))}
        author = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", "test"), ("EMAIL", "test@localhost"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = os.environ | folders | author | {"PATH": path, "COLUMNS": "200"} | PATIENT

    def run(self, *command):
        """Run a command here: its CompletedProcess, with what it says on both channels as stdout."""
        return subprocess.run(command, cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def output(self, *command):
        """Run a command that must succeed; return what it says."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def repro(self, *arguments):
        """Run `dvc repro`, which must succeed; return the set of stages that ran."""
        return ran(self.output("dvc", "repro", *arguments))

    def set(self, changes, path="params.yaml"):
        """Change keys of params.yaml, {"section.key": value}, or write the changed file elsewhere."""
        params = yaml.safe_load((self.folder / "params.yaml").read_text())
        for name, value in changes.items():
            section, key = name.split(".")
            params[section][key] = value
        (self.folder / path).write_text(yaml.safe_dump(params, sort_keys=False))

    def commit(self):
        """Commit everything that git does not ignore."""
        self.output("git", "add", "--all")
        self.output("git", "commit", "--quiet", "--message", "test")

    def restore(self):
        """Go back to the last commit: its files by git, its data by DVC."""
        self.output("git", "reset", "--quiet", "--hard")
        self.output("git", "clean", "--quiet", "--force", "-d")
        self.output("dvc", "checkout", "--force")
        if self.images.is_dir():  # data/raw is not in DVC's cache
            shutil.rmtree(self.folder / "data/raw", ignore_errors=True)
            shutil.copytree(self.images, self.folder / "data/raw")

    def lock(self):
        """The bytes of dvc.lock."""
        return (self.folder / "dvc.lock").read_bytes()

    def locked(self):
        """The stages in dvc.lock."""
        return set(yaml.safe_load(self.lock())["stages"])


def ran(output):
    """The set of stages that `dvc repro` says to run."""
    return set(re.findall(r"^Running stage '([^']+)'", output, re.MULTILINE))


def stages(folder=ROOT):
    """The stages of dvc.yaml, in order: {name: its entry}."""
    return yaml.safe_load((Path(folder) / "dvc.yaml").read_text())["stages"]


def copy(target):
    """Copy the working tree's files, tracked or new, to `target`: a `Clone` with one commit and small settings."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if Path(name).parts[0] not in RESULTS and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    clone = Clone(target)
    clone.output("git", "init", "--quiet", "--initial-branch=main")
    clone.set(SMALL)
    clone.commit()
    return clone


def finished(factory):
    """Return the run that all tests start from, in whichever file they are: see `run_once`."""
    return run_once(factory.getbasetemp() / "pipeline")


@functools.cache
def run_once(folder):
    """Copy the working tree and run the pipeline: killed in the middle of two stages, then once more, to its end.

    Then say what the eras changed, too. Return the `Clone`, with all committed, and the CompletedProcess of the last
    `dvc repro`.
    """
    clone = copy(folder)
    for stage, result in KILLED.items():
        kill_amid(clone, stage, result)
    last = clone.run("dvc", "repro")
    clone.run("dvc", "repro", "eras/dvc.yaml")
    clone.commit()
    shutil.copytree(clone.folder / "data/raw", clone.images)
    return clone, last


def kill_amid(clone, stage, result):
    """Start `dvc repro`; kill it with all its processes when `stage` has begun to write the path `result`."""
    process = subprocess.Popen(["dvc", "repro"], cwd=clone.folder, env=clone.environment, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while process.poll() is None and not (clone.folder / result).exists():
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    said = process.communicate()[0].decode()
    assert process.returncode == -signal.SIGKILL and stage in ran(said) and stage not in clone.locked(), said

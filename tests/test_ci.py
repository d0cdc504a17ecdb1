"""The workflows of GitHub and GitLab: their commands, read from their files, on real commits, with DVC and a remote."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from tests.helpers import planted
from tests.helpers.paths import ROOT
from tests.helpers.pipeline import Clone, ran

GITHUB, GITLAB = ROOT / ".github/workflows/ci.yml", ROOT / ".gitlab-ci.yml"


def github_steps():
    """The commands of the job `results` but for the hosting service's own call: {name: text}."""
    steps = yaml.safe_load(GITHUB.read_text())["jobs"]["results"]["steps"]
    return {step["name"]: step["run"] for step in steps if "run" in step and not step["run"].startswith("gh ")}


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """The planted project, and the folder that is its remote."""
    clone = planted.finished(tmp_path_factory)
    remote = tmp_path_factory.mktemp("ci") / "remote"
    shutil.copytree(clone.folder / ".dvc/cache", remote)
    return clone, str(remote)


@pytest.fixture
def checkout(origin, tmp_path):
    """Clone a branch as a CI does, without data: a function of its name."""
    project, remote = origin

    def checkout(branch):
        subprocess.run(["git", "clone", "--quiet", "--branch", branch, project.folder, tmp_path / "clone"], check=True)
        clone = Clone(tmp_path / "clone")
        clone.environment = project.environment | {"DVC_REMOTE_URL": remote, "AWS_ACCESS_KEY_ID": ""}
        return clone
    return checkout


def run_github(clone, before="origin/main"):
    """Run the steps one after the other, as GitHub does: what each says, up to the first that fails, and its code."""
    files = {name: clone.folder.parent / name.lower() for name in ("GITHUB_PATH", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.write_text("")
    service = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "owner/name", "GITHUB_RUN_ID": "1"}
    clone.environment = clone.environment | {name: str(path) for name, path in files.items()} | service | {
        "PUSHED_ON": before}
    said = {}
    for name, text in github_steps().items():
        clone.environment |= dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        path = os.pathsep.join([*files["GITHUB_PATH"].read_text().splitlines(), clone.environment["PATH"]])
        clone.environment |= {"PATH": path}
        done = clone.run("bash", "-e", "-o", "pipefail", "-c", text)
        said[name] = done.stdout
        if done.returncode:
            return said, done.returncode
    return said, 0


def run_gitlab(clone, before="origin/main"):
    """Run before_script and script in one shell, as GitLab does."""
    job = yaml.safe_load(GITLAB.read_text())["results"]
    clone.environment = clone.environment | {
        "CI_COMMIT_BEFORE_SHA": before, "CI_JOB_URL": "https://gitlab.com/o/n/-/jobs/1"}
    lines = "\n".join([*job["before_script"], *job["script"]])
    done = clone.run("bash", "-e", "-o", "pipefail", "-c", lines)
    return {"job": done.stdout}, done.returncode


HOSTS = {"github": run_github, "gitlab": run_gitlab}


@pytest.mark.parametrize("host", HOSTS)
def test_a_current_revision_recomputes_nothing_and_passes(checkout, host):
    clone = checkout("current")
    said, code = HOSTS[host](clone)
    assert code == 0, said
    text = "\n".join(said.values())
    assert "nothing is recomputed" in text and "Gate: passed." in text
    assert not list(clone.folder.glob("data/**/*.csv"))
    report = (clone.folder / "report.md").read_text()
    assert re.search(r"`compare.margin` +\| +0.02 \| +0.03 \|", report)
    assert "equivalent within 0.02" in report and "equivalent within 0.03" in report
    address = {"github": "report/", "gitlab": "https://gitlab.com/o/n/-/jobs/1/artifacts/raw/report/"}[host]
    assert f"]({address}01-accuracy-of-each-seed.png)" in report
    if host == "github":
        comment = (clone.folder / "report/comment.md").read_text()
        assert "![" not in comment and comment.endswith("[this run](https://github.com/owner/name/actions/runs/1).\n")
        assert (clone.folder.parent / "github_step_summary").read_text() == comment


@pytest.mark.parametrize("host", HOSTS)
def test_of_a_stale_revision_only_what_changed_is_recomputed_and_stored(checkout, host):
    clone = checkout("stale")
    said, code = HOSTS[host](clone)
    text = "\n".join(said.values())
    assert ran(text.partition("is recomputed")[2]) == {"lines"}, text
    assert "Gate: passed." in text
    assert code == 1 and "commit the dvc.lock and the metrics that this job has stored" in text


@pytest.mark.parametrize("host", HOSTS)
def test_a_worse_classifier_fails_after_its_report(checkout, host):
    clone = checkout("worse")
    said, code = HOSTS[host](clone)
    *_, last = said.values()
    assert code == 1 and "Gate: failed. Worse than at " in last
    assert "Gate: failed. Worse than at" in (clone.folder / "report.md").read_text()


def test_without_a_remote_the_gate_cannot_tell_and_that_is_no_failure(checkout):
    clone = checkout("current")
    clone.environment |= {"DVC_REMOTE_URL": ""}
    said, code = run_github(clone)
    assert code == 0 and "Gate: cannot tell" in said["Gate"]
    assert "no remote is configured" in (clone.folder / "report.md").read_text()


def test_a_new_branch_is_compared_with_the_parent_of_its_last_commit(checkout):
    clone = checkout("worse")
    said, code = run_gitlab(clone, before="0" * 40)
    assert code == 1 and "Gate: failed." in said["job"]


def test_what_is_recomputed_is_pushed(checkout, tmp_path):
    clone = checkout("worse")
    clone.environment |= {"DVC_REMOTE_URL": str(tmp_path / "empty")}
    clone.output("bash", ".ci/reproduce")
    clone.output("dvc", "repro", "--force")
    clone.output("bash", ".ci/push")
    assert len(list((tmp_path / "empty/files/md5").glob("*/*"))) == 2  # not the image, which is not to be pushed


def test_what_is_in_no_remote_is_made_again(checkout, tmp_path):
    """As images are, which may not be ours to hand out."""
    clone = checkout("stale")
    (tmp_path / "empty").mkdir()
    clone.environment |= {"DVC_REMOTE_URL": str(tmp_path / "empty")}
    said = clone.output("bash", ".ci/reproduce")
    assert ran(said.partition("it is made again")[2]) == {"predict", "lines"}
    assert clone.output("dvc", "repro", "--dry").count("Running") == 0


def test_no_file_holds_a_secret():
    """What a remote needs comes from the CI's variables."""
    for step in yaml.safe_load(GITHUB.read_text())["jobs"].values():
        for name, value in step.get("env", {}).items():
            assert re.fullmatch(r"\$\{\{ .+ \}\}", value), name

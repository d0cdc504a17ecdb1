"""report.md of planted changes: what it says, how it reads, and that it fits."""

import re

import pytest
from markdown_it import MarkdownIt
from PIL import Image

from tests.helpers import planted
from versus.report import pull_request
from versus.report.markdown import LONGEST, code, shorten


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return planted.finished(tmp_path_factory)


@pytest.fixture
def report(project):
    """Write the report of a branch against another: its text, and what the command says."""
    def report(branch, revision="main", *arguments):
        project.output("git", "switch", "--quiet", branch)
        project.output("dvc", "checkout", "--quiet", "--force")
        done = project.run("python", "-m", "versus", "report", revision, *arguments)
        assert done.returncode == 0, done.stdout
        return (project.folder / "report.md").read_text(), done.stdout
    yield report
    project.restore()


def tables(text):
    """The rows of all tables that Markdown shows, as lists of the texts of their cells."""
    rows = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and token.level >= 3 and rows:
            rows[-1].append("".join(child.content for child in token.children))
    return rows


def test_a_report_says_what_changed(project, report):
    text, said = report("worse")
    assert "report.md says what changed since main" in said
    gate = project.run("python", "-m", "versus", "gate", "main").stdout.splitlines()
    plain = text.replace("`main`", "main")
    assert f"**{gate[-1]}**" in plain and all(f"- {line}" in plain for line in gate[:-1])
    compared = project.output("python", "-m", "versus", "compare", *(f"data/predictions/{name}.csv"
                                                                     for name in ("keras", "torch")),
                              "--titles", "Keras", "PyTorch")
    verdict = re.search("Verdict: .*", compared)[0]
    assert f"- {verdict}" in text and "## Before, at `main`: Keras or PyTorch?" in text
    rows = tables(text)
    (accuracy,) = [row for row in rows if row[0] == "metrics/keras.json:accuracy"]
    before, now, change = map(float, accuracy[1:])
    assert now - before == pytest.approx(change, abs=1e-4) and change < 0
    number = int(re.search(r"## Keras: (\d+) images no longer right", text)[1])
    images = [row for row in rows if len(row) == 4 and row[0].endswith(".png")]
    assert sum(int(row[2]) > int(row[3]) for row in images) == min(number, 25)
    assert f"{number - 25} more: see `data/predictions/keras.csv`" in text
    assert len(text) < pull_request.LONGEST and "nan" not in text


def test_the_images_lie_beside_the_text(project, report):
    text, _ = report("worse")
    addresses = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert len(addresses) == 3  # a plot, and an image of both revisions
    sizes = {address: Image.open(project.folder / address).size for address in addresses}
    assert min(min(size) for size in sizes.values()) >= 160
    assert Image.open(project.folder / addresses[1]).tobytes() != Image.open(project.folder / addresses[2]).tobytes()
    assert text.index("<!-- images -->") < text.index("![")
    assert project.output("git", "status", "--short") == ""
    text, _ = report("worse", "main", "--images", "https://host/path/")
    assert re.findall(r"\]\((https://host/path/)report/", text) == ["https://host/path/"] * 3


def test_a_changed_parameter_is_shown_with_both_verdicts(report):
    text, _ = report("current")
    assert ["compare.margin", "0.02", "0.03"] in tables(text)
    assert "Verdict: equivalent within 0.02" in text and "Verdict: equivalent within 0.03" in text
    assert text.count("No change.") == 1  # of the metrics


def test_names_are_shown_as_they_are(report):
    text, _ = report("odd-worse", "odd")
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "<b>" not in html.replace("<strong>", "") and 'href="h"' not in html and html.count("<img") == 3
    shown = {cell for row in tables(text) if len(row) == 4 for cell in row}
    for name in planted.ODD:
        assert shorten(f"metrics/torch.json:recall_{name}") in shown
    for line in text.splitlines():
        assert "octocat" not in re.sub("`[^`]*`", "", line)


def test_what_cannot_be_judged_is_said_and_the_rest_reported(project, report):
    text, _ = report("fewer-seeds")
    assert "Gate: cannot tell" in text and "## Metrics" in text and "![" in text
    text, _ = report("stale")
    assert "Gate: passed" in text
    (project.folder / "plant.json").write_text("{}")
    done = project.run("python", "-m", "versus", "report")
    text = (project.folder / "report.md").read_text()
    assert done.returncode == 0 and "Gate: cannot tell." in text and "run `dvc repro` first" in text


def test_an_unknown_revision_writes_nothing(project):
    for path in ("report.md", "report"):
        project.run("rm", "-rf", path)
    done = project.run("python", "-m", "versus", "report", "nowhere")
    assert done.returncode == 1 and "ERROR: got the revision 'nowhere'" in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(project.folder.glob("report*"))


@pytest.mark.parametrize("classes", [2, 100])
def test_a_report_of_many_classes_fits(classes):
    """Each table is cut to what there is room for, and says how many rows are left."""
    names = [f"class {number} of a very long name indeed, {'x' * 300}|" for number in range(classes)]
    rows = [(code(f"metrics/{framework}.json:{score}_{name}"), "0.123456", "0.654321", "+0.5309")
            for framework in ("keras", "torch") for score in ("recall", "precision") for name in names]
    given = {heading: (("metric", "before", "now", "change"), rows * 20, "`dvc metrics diff main`")
             for heading in ("Metrics", *(f"Keras: {number} images" for number in range(20)))}
    text = pull_request._compose("# Title", ["section"], given, ["image"] * 100)
    assert len(text) <= pull_request.LONGEST
    assert text.count(" more: `dvc metrics diff main`.") == len(given)
    assert len(code("x" * 1000)) <= LONGEST + 3

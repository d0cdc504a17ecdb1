"""README and docs say what the committed metrics say, and nothing that is not there."""

import re
import textwrap

import numpy as np
import pandas
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.helpers.paths import ROOT
from versus.artifacts import metrics, predictions_csv
from versus.evaluation.findings import ONE_BETTER
from versus.report import documentation

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def page_name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_tables_are_those_of_the_committed_metrics(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = path.read_text(encoding="utf-8")
    assert documentation.write(text) == text, "run `make docs`"
    assert page_name(path) in documentation.PAGES or "<!-- table" not in text


def test_every_table_stands_on_some_page():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert set(re.findall(r"<!-- table: ([\w-]+) -->\n[^<]", text)) == set(documentation.TABLES)


@pytest.mark.parametrize("plot", documentation.WATERFALLS)
def test_plots_show_the_committed_metrics(plot, monkeypatch):
    monkeypatch.chdir(ROOT)
    drawn = documentation.waterfall(documentation.RUNS / documentation.WATERFALLS[plot])
    labels = [sorted(re.findall(r"<text[^>]*>([^<]+)</text>", svg))
              for svg in (drawn, (ROOT / plot).read_text(encoding="utf-8"))]
    assert labels[0] == labels[1], "run `make docs`"
    assert {"augment", "total"} & set(labels[0]) and len(labels[0]) > 5


def test_what_prose_says_of_alien_vs_predator_is_what_was_measured():
    """Six points today; in 2018 the sign of the article; one cause; equal classes; 668 images, 26 left out."""
    runs = ROOT / "docs/runs"
    native = metrics.read(runs / "avp-native/compare.json")
    assert round(-100 * native["accuracy_difference"]) == 6 and native["verdict"] == ONE_BETTER
    for name in ("avp-2018", *(f"avp-2018-views-{number}" for number in (1, 2, 3))):
        old = metrics.read(runs / name / "compare.json")
        assert old["accuracy_low"] < 0 < old["accuracy_difference"] and old["chance_of_gap_one"] > 0.5
    old = metrics.read(runs / "avp-2018/compare.json")
    assert round(1000 * old["accuracy_difference"]) == 40 and old["log_loss_high"] < 0
    for name in ("avp-keras", "avp-torch"):
        equal = metrics.read(runs / name / "compare.json")
        assert equal["agreement"] == 1 and equal["images"] * equal["seeds"] == 2000
    shares = metrics.read_table(runs / "avp-native/explain.csv")
    assert set(shares[shares.significant & (shares.kind == "convention")].name) == {"batch_norm"}
    assert not shares[shares.kind == "interaction"].significant.any()
    split = metrics.read(runs / "avp-native/split.json")
    assert (split["train"], split["validation"], split["leaks_removed"]) == (668, 200, 26)


def test_the_lines_for_scikit_learn_write_predictions(tmp_path, monkeypatch):
    """Those of docs/statistics.md, as a reader would paste them."""
    text = (ROOT / "docs/statistics.md").read_text(encoding="utf-8")
    lines = re.search(r"^(?:    table.*\n)+", text, re.MULTILINE)[0]
    x, labels = load_iris(return_X_y=True)
    y = np.array(["setosa", "versicolor", "virginica, or so"])[labels]
    monkeypatch.chdir(tmp_path)
    model = LogisticRegression(max_iter=1000).fit(x, y)
    exec(textwrap.dedent(lines), {"pandas": pandas, "model": model, "x": x, "y": y})
    predictions = predictions_csv.read("A.csv")
    assert len(predictions.files) == 150 and predictions.correct.mean() > 0.9


def test_the_front_page_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!http)([^)]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_files_and_commands_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:versus|stages|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / name).exists(), name
    for target in re.findall(r"(?:`|^    )make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), target
    for key in re.findall(r"`(\w+\.\w+)=", text):
        section, name = key.split(".")
        assert re.search(rf"^{section}:.*\n(?:  .*\n)*?  {name}:", (ROOT / "params.yaml").read_text(encoding="utf-8"),
                         re.MULTILINE), key


def test_numbers_have_three_decimals_and_no_negative_zero():
    assert [documentation._signed(value) for value in (-0.0545, 0.0004, -0.0004, 0.12)] == [
        "−0.054", "0.000", "0.000", "+0.120"]

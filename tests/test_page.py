"""The report is one page that says what the run's files say, for every reader, whatever classes are called."""

import re
import shutil
from html import unescape
from pathlib import Path

import pytest
import yaml

from tests.helpers import pages
from tests.helpers.browser import CHROMIUM, chromium
from tests.helpers.paths import ROOT
from tests.helpers.stages import run_stage
from versus.report import code, figures

NASTY = ('<b>&"', "007", "NA")
TWENTY = ("Donaudampfschifffahrtsgesellschaftskapitänsmütze", "ö, ä", 'quote"d', "[a.b]", "外星人",
          *(f"class {number:02}" for number in range(15)))
RUNS = {"two classes": {}, "one seed, names to escape, no explanation":
        {"names": NASTY, "seeds": 1, "side": 8, "explained": False}, "twenty classes": {"names": TWENTY, "side": 200}}


@pytest.fixture(scope="module", params=RUNS)
def report(request, tmp_path_factory):
    """The folder of a run, its settings, its page, and what the stage printed."""
    folder = tmp_path_factory.mktemp("page")
    return folder, RUNS[request.param], *pages.write(folder, **RUNS[request.param])


def test_the_page_holds_all_that_it_shows(report):
    _, _, page, _ = report
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s>)]+)""", page)
    assert addresses and all(address.startswith(("#", "data:")) for address in addresses)
    assert len(page.encode()) < 5_000_000


def test_it_begins_with_what_the_terminal_says(report):
    folder, _, page, said = report
    words = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", page, flags=re.DOTALL))
    for sentence in said.splitlines()[:2]:
        assert sentence in words and words.index(sentence) < 2500
    assert said.splitlines()[-1] == f"The whole report: {folder.resolve() / 'reports/index.html'}"


def test_no_cause_is_named_of_a_difference_that_the_explanation_does_not_show(report):
    """The table of shares below said that there is no significant difference, and the answer named its cause."""
    words = unescape(report[2])
    assert ("No significant difference in accuracy" in words and "the effect of one default" in words) is False


def test_commands_are_code_and_empty_parameters_are_seen(report):
    words = re.sub(r"<pre.*?</pre>|<style>.*?</style>", "", report[2], flags=re.DOTALL)
    assert "`" not in words
    assert '<th scope="row">data.labels</th><td>&#34;&#34;</td>' in words
    assert '<th scope="row">extract.flip</th><td>true</td>' in words


def test_an_empty_line_parts_functions_where_no_other_framework_stands_beside_them():
    """On paper and on a telephone, which leave out the lines that only align two columns."""
    shown = code.exhibit("a.py", ("one", "both", "last"), {"both": "b = 1", "last": "c = 1"},
                         {"one": "a = 1", "both": "b = 2", "last": "c = 2"})
    assert [[line.text for line in side if line.kind != code.BLANK] for side in (shown.one, shown.other)] == [
        ["b = 1", "", "c = 1"], ["a = 1", "", "b = 2", "", "c = 2"]]


def test_names_are_text(report):
    _, settings, page, _ = report
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page  # in the reason why a file cannot be used
    assert "<b>&\"" not in page
    words = unescape(page)
    assert all(name in words for name in settings.get("names", ()))


def test_what_the_run_lacks_is_said(report):
    _, settings, page, _ = report
    explained = settings.get("explained", True)
    assert ("This run has no explanation" in page) != explained
    assert ("Shapley" in page) == explained


def test_the_same_run_gives_the_same_bytes(report):
    folder, _, page, _ = report
    assert run_stage("report", folder).returncode == 0
    assert (folder / "reports/index.html").read_text("utf-8") == page
    assert str(folder) not in page


def test_its_plots_are_those_of_dvc():
    """The page draws without DVC: what dvc.yaml says of a plot, `figures` says, too; but for a title with names."""
    entries = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["plots"]
    of_dvc = set()
    for plot in (plot for entry in entries if isinstance(entry, dict) for plot in entry.values()):
        for file, column in plot["y"].items():
            title = figures.WATERFALL.title if plot["template"] == "waterfall" else plot["title"]
            of_dvc.add(figures.Plot(plot["template"], Path(file).stem, title, plot["x"], column, plot["x_label"],
                                    plot["y_label"]))
    assert {*figures.PLOTS.values(), figures.CONFUSION, figures.WATERFALL} < of_dvc


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
@pytest.mark.parametrize("width, colours", [(1280, "light"), (390, "dark")])
def test_in_a_browser_nothing_is_asked_for_and_nothing_is_out_of_reach(report, width, colours):
    """No error, no request, no scrolling sideways, and axe finds nothing that keeps a person out."""
    from axe_playwright_python.sync_playwright import Axe

    address = (report[0] / "reports/index.html").resolve().as_uri()
    with chromium(address, width, colours) as opened:
        violations = Axe().run(opened.page).response["violations"]
        assert not opened.wide
    assert not opened.said and not [url for url in opened.asked if url != address and not url.startswith("data:")]
    assert not [(each["id"], [node["html"] for node in each["nodes"]][:2]) for each in violations]


WIDTH_OF_A4 = 688  # CSS pixels between margins of 14 mm
BEYOND = """width => [...document.querySelectorAll("table, img, pre, p, li, h1, h2, h3, dl")]
  .filter(each => each.getBoundingClientRect().right > width + 1).map(each => each.textContent.slice(0, 80))"""


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
def test_on_paper_everything_is_there_and_nothing_is_beyond_the_edge(report):
    address = (report[0] / "reports/index.html").resolve().as_uri()
    with chromium(address, WIDTH_OF_A4) as opened:
        opened.page.emulate_media(media="print")
        assert opened.page.evaluate(BEYOND, WIDTH_OF_A4) == [] and not opened.wide
        heights = opened.page.eval_on_selector_all("details table", "all => all.map(each => each.offsetHeight)")
        assert all(height > 100 for height in heights)
        assert len(heights) == opened.page.locator("details").count() >= len(report[1].get("names", ())) // 20
        assert not opened.page.locator("summary").filter(visible=True).count()


def test_without_the_images_the_page_is_without_them(tmp_path, report):
    """As on a machine that has all else from a remote: the images may not be ours to hand out."""
    folder = shutil.copytree(report[0], tmp_path / "run")
    shutil.rmtree(folder / "data/split")
    assert run_stage("report", folder).returncode == 0
    page = (folder / "reports/index.html").read_text("utf-8")
    assert "The images are not on this machine" in page and "The images are not on this machine" not in report[2]
    assert "image/jpeg" not in page and "image/jpeg" in report[2]


def test_without_a_comparison_there_is_no_page(tmp_path, report):
    folder = shutil.copytree(report[0], tmp_path / "run")
    (folder / "metrics/details/compare.json").unlink()
    done = run_stage("report", folder)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "dvc repro" in done.stderr

"""The report: one page that says what a run did and what came of it, in the seven steps of the article of 2018.

Everything is inside the page: it opens from disk, without a network. Its bytes depend on the run's files alone. What a
run lacks, such as an explanation, is left out and said.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jinja2
import pandas as pd
from rich.table import Table

from versus import params
from versus.artifacts import metrics, model_info
from versus.artifacts.references import installed_version
from versus.evaluation.gallery import GROUPS
from versus.frameworks import Competitor
from versus.frameworks.packages import PACKAGES
from versus.images import splitting, tables
from versus.images.dataset import PARTS
from versus.report import console, embedded, figures, results, sentences, speed
from versus.report.embedded import Preparation
from versus.report.figures import CONFUSION, PLOTS, WATERFALL, Figure
from versus.report.gallery import MOST, percent
from versus.report.headline import headline
from versus.report.interval_plot import interval_plot
from versus.report.numbers import plural
from versus.report.results import ResultsError
from versus.report.steps import steps
from versus.report.terms import TERMS

TEMPLATES = Path(__file__).parent / "templates"
GALLERY = Path("metrics/gallery.csv")
COMMON = ("numpy", "pillow", "opencv-python-headless", "scikit-learn", "dvc")  # packages that both use
PATHS = ("data.folder", "data.labels", "model.weights")  # parameters that may hold one
LISTED = 30  # rows of a long list
T = TypeVar("T")


class Grid(NamedTuple):
    """A table: its caption, headings and rows of text."""

    caption: str
    headings: list[str]
    rows: list[list[str]]


def write(settings: params.Params, path: Path) -> tuple[str, str]:
    """Write the page; return the two sentences that it begins with. Raises ResultsError without a comparison."""
    try:
        content = collect(settings)
    except ResultsError as error:
        raise ResultsError(f"got no {error}; expected the results of a run: run `dvc repro`") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(content), encoding="utf-8")
    return content["headline"]


def render(content: dict[str, Any]) -> str:
    """Fill the template."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html.jinja").render(content)


def collect(settings: params.Params) -> dict[str, Any]:
    """Collect all that the page says from the files of the run."""
    result = results.read("compare")
    pair = results.competitors(result)
    titles = (pair[0].title, pair[1].title)
    one, other = (results.read(each.name) for each in pair)
    about = _optional(partial(results.read, "explain"))
    shares = metrics.read_table(results.DETAILS / "explain.csv", ("name", "kind")) if about else None
    counts, parity, splits = (_optional(partial(results.read, name)) for name in ("split", "parity", "splits"))
    raw, split = tables.read("data/raw.csv"), tables.read("data/split.csv")
    of_era = (pair[0].of_era(settings.conventions.era), pair[1].of_era(settings.conventions.era))
    notes = [sentences.ensemble(one, other, titles), sentences.era(result["era"]),
             sentences.enlargement(counts["median_side"], result["image_size"]) if counts else ""]
    one_way, other_way = (Preparation(*(each.default(settings.conventions, name)
                                        for name in ("decode", "resize", "augment"))) for each in of_era)
    preparations = (one_way, other_way)
    return {
        "titles": titles, "terms": TERMS, "headline": headline(one, other, result, of_era, shares),
        "facts": _facts(one, other, result, titles), "interval": interval_plot(result, titles),
        "verdict": sentences.verdict(result, titles, result["margin"]), "result": result, "settings": settings,
        "scores": grid(console.comparison_table(one, other, result, titles), "score"),
        "comparison": [*sentences.comparison(one, other, result, titles, result["margin"], sentences.SCOPE_OF_RUN),
                       *filter(None, notes)],
        "splits": grid(console.splits_table(splits, titles), "score") if splits and splits["splits"] > 1 else None,
        "splits_sentences": list(sentences.splits(splits, titles)) if splits and splits["splits"] > 1 else [],
        "explanation": grid(console.explanation_table(shares, about, titles), "convention") if about else None,
        "causes": [*sentences.explanation(shares, of_era), about["completeness"]] if about else [],
        "conventions": _conventions(settings, of_era),
        "parity": grid(console.parity_table(parity, titles), "step") if parity else None,
        "parity_sentence": sentences.parity(parity, titles) if parity else "",
        "counts": counts, "summary": splitting.summary(counts).split("\n") if counts else [],
        "classes": _classes(split), "problems": _problems(raw), "duplicates": _duplicates(split),
        "left_out": _left_out(split), "samples": embedded.samples(settings, preparations, Path("data/split")),
        "preparations": preparations, "steps": steps((pair[0].framework, pair[1].framework), settings.model.backbone),
        "figures": _figures(titles, [each.name for each in pair]),
        "confusions": _confusions(titles, [each.name for each in pair]),
        "mistakes": _mistakes(titles, [each.name for each in pair]),
        "waterfall": _waterfall(titles) if about else None,
        **_speed(), "gallery": _gallery(pair, result), "most": MOST, "parameters": _parameters(settings),
        "versions": _versions(pair), "hashes": _hashes([each.name for each in pair]),
        "sizes": [_size(Path("models", each.name)) for each in pair],
    }


def _facts(one: dict, other: dict, result: dict, titles: sentences.Titles) -> list[tuple[str, str]]:
    """List what the two sentences are of: (what, how much)."""
    low, point, high = (f"{100 * result[f'accuracy_{name}']:+.1f}" for name in ("low", "difference", "high"))
    accuracy = [(f"Accuracy, {title}", f"{each['accuracy']:.3f}" + (f" ± {each['accuracy_sd']:.3f} (standard deviation "
                 "of the seeds)" if each["seeds"] > 1 else "")) for title, each in zip(titles, (one, other))]
    images = sentences.images(result["images"], result["units"], sentences.image_noun(result))
    return [*accuracy, (f"Difference, {titles[1]} minus {titles[0]}",
                        f"{point} percentage points (95 % interval {low} to {high}; {sentences.p_value(result)})"),
            ("Measured on", f"{images}, of {one['classes']} classes"),
            ("Training runs", f"{plural(result['seeds'], 'seed')} of each")]


def _optional(read: Callable[[], T]) -> T | None:
    """Return what is read; None where that part of the run is missing."""
    try:
        return read()
    except ResultsError:
        return None


def grid(table: Table, first: str) -> Grid:
    """Turn a table of the terminal into one of the page; `first` names its first column."""
    headings = [str(column.header) for column in table.columns]
    cells = zip(*(column.cells for column in table.columns))
    return Grid(str(table.title or ""), [headings[0] or first, *headings[1:]], [[str(cell) for cell in row]
                                                                               for row in cells])


def _conventions(settings: params.Params, pair: sentences.Pair) -> Grid:
    """Say what each competitor does in each convention."""
    names = [name for name in type(settings.conventions).model_fields if name not in ("era", "all")]
    rows = [[name, *(each.default(settings.conventions, name).words for each in pair)] for name in names]
    return Grid("What each does in this run", ["convention", pair[0].title, pair[1].title], rows)


def _classes(split: pd.DataFrame) -> Grid:
    """Count the images of each class and part."""
    used = split[split.part != ""]
    parts = [part for part in PARTS if (used.part == part).any()]
    rows = [[name, *(f"{(own.part == part).sum():,}" for part in parts)] for name, own in used.groupby("class")]
    return Grid("Images of each class", ["class", *parts], rows)


def _problems(raw: pd.DataFrame) -> Grid:
    bad = raw[raw.problem != ""]
    return _listing("Files that cannot be used or are left out", ["file", "why"],
                    [[row.file or row.origin, row.problem] for row in bad.itertuples()], "data/raw.csv")


def _duplicates(split: pd.DataFrame) -> Grid:
    groups = split[split.group != ""].groupby("group")
    return _listing("Groups of near-duplicates or of images that belong together", ["images", "parts"],
                    [[", ".join(own.file), ", ".join(sorted({part or "left out" for part in own.part}))]
                     for _, own in groups], "data/split.csv")


def _left_out(split: pd.DataFrame) -> Grid:
    rows = split[split.reason.str.startswith((splitting.LEAK, splitting.CONFLICT))]
    return _listing("Leaks and label conflicts", ["file", "what was done"],
                    [[row.file, (f"stays in {row.part}: " if row.part else "left out: ") + row.reason]
                     for row in rows.itertuples()], "data/split.csv")


def _listing(caption: str, headings: list[str], rows: list[list[str]], file: str) -> Grid:
    """List the first rows, and where all of them are."""
    shown = rows[:LISTED]
    if len(rows) > LISTED:
        shown.append([f"and {len(rows) - LISTED:,} more", f"see {file}"])
    return Grid(f"{caption}: {len(rows):,}", headings, shown)


def _figures(titles: sentences.Titles, names: list[str]) -> dict[str, Figure]:
    drawn = {}
    for name, plot in PLOTS.items():
        rows = pd.concat([figures.read(each, plot) for each in names])
        if figure := figures.figure(plot, rows, f"{plot.title}, of {titles[0]} and {titles[1]}"):
            drawn[name] = figure
    return drawn


def _confusions(titles: sentences.Titles, names: list[str]) -> list[Figure]:
    """Draw each competitor's confusion alone, so that both fit a telephone."""
    plots = [CONFUSION._replace(title=f"{title}: {CONFUSION.title.lower()}") for title in titles]
    drawn = [figures.figure(plot, figures.read(name, plot), plot.title) for plot, name in zip(plots, names)]
    return [figure for figure in drawn if figure]


def _mistakes(titles: sentences.Titles, names: list[str]) -> Grid:
    """List the pairs of classes that are confused most often."""
    tables = [figures.read(name, CONFUSION) for name in names]
    none = pd.Series(dtype=int)
    counts = pd.DataFrame({title: rows.set_index(["actual", "predicted"])["images"] if len(rows) else none
                           for title, rows in zip(titles, tables)}).fillna(0).astype(int)
    wrong = counts[[actual != predicted for actual, predicted in counts.index]]
    wrong = wrong.loc[wrong.sum(axis=1).sort_values(ascending=False, kind="stable").index[:10]]
    return Grid("The most frequent mistakes of the saved classifiers, in images", ["actual", "predicted", *titles],
                [[*pair, *map(str, row)] for pair, row in zip(wrong.index, wrong.to_numpy())])


def _waterfall(titles: sentences.Titles) -> Figure | None:
    path = figures.DATA / "waterfall.csv"
    rows = metrics.read_table(path, figures.TEXT) if path.is_file() else pd.DataFrame()
    return figures.figure(WATERFALL, rows, f"{WATERFALL.title}, from {titles[0]} to {titles[1]}")


def _speed() -> dict[str, Any]:
    """Say which framework is faster, where that has been measured."""
    rows = speed.read()
    if rows.empty:
        return {"speed": None}
    drawn = speed.drawn(rows)
    alt = "; ".join(f"{row.words}: {row.label}, {row.better}" for row in drawn.itertuples())
    return {"speed": Grid("Median of the repetitions (lowest to highest)", *speed.table(rows)),
            "speed_sentences": speed.sentences(rows),
            "speed_plot": figures.figure(speed.SPEED, drawn, f"{speed.TITLE}: {alt}")}


def _gallery(pair: sentences.Pair, result: dict) -> list[dict[str, Any]]:
    """List the groups of the gallery, with each image and what both say of it."""
    if not GALLERY.is_file():
        return []
    names = [each.name for each in pair]
    text = ("group", "file", "class", *(f"{name}_predicted" for name in names))
    table = metrics.read_table(GALLERY, text)
    groups = []
    for group in GROUPS:
        rows = table[table.group == group.name].to_dict("records")
        shown = [{"file": row["file"], "class": row["class"], "seeds": row["seeds"],
                  "image": embedded.of_file(Path("data/split", result["part"], row["file"])),
                  "said": [(each.title, row[f"{each.name}_predicted"], _unbroken(row[f"{each.name}_probability"]),
                            _unbroken(row[f"{each.name}_true"]), row[f"{each.name}_right"]) for each in pair]}
                 for row in rows]
        sentence = group.sentence.format("these images" if shown else "no image")
        groups.append({"name": group.name, "sentence": f"{sentence}{'; ' + group.order if shown else ''}.",
                       "images": shown})
    return groups


def _unbroken(probability: float) -> str:
    return percent(probability).replace(" ", "\N{NO-BREAK SPACE}")


def _parameters(settings: params.Params) -> Grid:
    """List all parameters; of a path only its last name, since where a file lies is nobody's business."""
    values = {f"{section}.{key}": value for section in type(settings).model_fields
              for key, value in getattr(settings, section).model_dump().items()}
    values |= {key: Path(values[key]).name for key in PATHS}
    return Grid("params.yaml", ["parameter", "value"], [[key, _as_yaml(value)] for key, value in values.items()])


def _as_yaml(value: str | float | bool) -> str:
    """Write a value as params.yaml does: an empty text is seen, too."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value) or '""'


def _versions(pair: tuple[Competitor, ...]) -> Grid:
    names = (*chain(*PACKAGES.values()), *COMMON)
    devices = [[f"{each.title} on", model_info.read(f"models/{each.name}").device] for each in pair
               if Path("models", each.name, "model.json").is_file()]
    return Grid("Packages", ["package", "version"], [[name, installed_version(name)] for name in names] + devices)


def _hashes(names: list[str]) -> Grid:
    """Fingerprint what the run made of the images, as dvc.lock has it of single files."""
    files = [Path("data/raw.csv"), Path("data/split.csv"),
             *(Path(f"data/predictions/{name}.{kind}") for name in names for kind in ("csv", "npy")),
             *(path for name in names for path in sorted(Path("models", name).rglob("*")))]
    return Grid("Files of the run", ["file", "bytes", "MD5"],
                [[path.as_posix(), f"{path.stat().st_size:,}", _md5(path)] for path in files if path.is_file()])


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _size(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:.1f} MB"

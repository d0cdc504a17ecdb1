"""report.md: what changed between another revision and this one, for a pull request.

The text is below the length that GitHub and GitLab accept as a comment, whatever the number of classes and metrics: of
long tables the first rows are shown. The images lie beside it, in the folder report/.
"""

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from versus import params
from versus.artifacts import metrics, revisions
from versus.artifacts.predictions import pair
from versus.evaluation import comparison, gate, scores
from versus.report import changes, console, plots, sentences
from versus.report.changes import Change
from versus.report.markdown import code, image, plain, table
from versus.report.numbers import plural

Rows = tuple[tuple[str, ...], Sequence[tuple[str, ...]], str]  # of a table: headings, cells, where the others are
REPORT, FOLDER = Path("report.md"), Path("report")
LONGEST = 60_000  # characters of report.md: GitHub takes 65,536 in a comment
ROWS = (25, 10, 5, 0)  # of a table or a list, tried until the text is short enough
GALLERY = "metrics/gallery.csv"
IMAGES_FOLLOW = "<!-- images -->"  # what stands below is nothing but images


def write(revision: str, settings: params.Compare, address: str = "") -> str:
    """Write report.md and report/; return a sentence that says so. Raises RevisionError, and then writes nothing.

    address: URL of the folder that holds report/, for hosts that show no relative images; "" for relative ones.
    """
    commit = revisions.commit_of(revision)
    try:
        (judged, notes), problem = changes.find(revision, settings), ""
    except revisions.RevisionError as error:  # predictions that are not of this code: the rest can be told
        judged, notes, problem = [], [], str(error)
    sections = [revisions.describe(), *_gate(judged, notes, problem, revision), *_verdicts(revision, settings)]
    tables = {"Parameters": _parameters(revision), "Metrics": _metrics(revision)} | _turned(judged) | _gallery(revision)
    temporary = Path(f"{FOLDER}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        drawn = plots.draw(revision, temporary)
    except BaseException:
        shutil.rmtree(temporary)
        raise
    shutil.rmtree(FOLDER, ignore_errors=True)
    temporary.rename(FOLDER)
    prefix = f"{address.rstrip('/')}/{FOLDER}" if address else str(FOLDER)
    title = f"# What changed since {code(revision)}" + f" ({commit})" * (commit != revision)
    text = _compose(title, sections, tables, _images(drawn, prefix))
    REPORT.write_text(text, encoding="utf-8")
    return f"{REPORT} says what changed since {revision}; its {plural(len(drawn), 'plot')} are in {FOLDER}/."


def _compose(title: str, sections: list[str], tables: dict[str, Rows], images: Iterable[str]) -> str:
    """Put the report together, with as many rows of each table as there is room for."""
    shown = list(images)
    for rows in ROWS:
        parts = [title, *sections]
        for heading, (headings, cells, more) in tables.items():
            parts.append(f"## {heading}")
            if not cells:
                parts.append("No change.")
                continue
            if rows:
                parts.append(table(headings, cells[:rows]))
            if len(cells) > rows:
                parts.append(f"{len(cells) - rows:,} more: {more}.")
        text = "\n\n".join([*parts, *shown]) + "\n"
        if len(text) <= LONGEST:
            break
    return text


def _gate(judged: list[Change], notes: list[str], problem: str, revision: str) -> Iterator[str]:
    """Say what `python -m versus gate` says."""
    name = code(revision)
    if problem:
        yield plain(f"Gate: cannot tell. {problem}")
        return
    yield f"**{plain(changes.verdict(judged, name))}**"
    yield _list([*notes, *(changes.sentence(change, name) for change in judged)])


def _list(texts: Iterable[str]) -> str:
    return "\n".join(f"- {plain(text)}" for text in texts)


def _verdicts(revision: str, settings: params.Compare) -> Iterator[str]:
    """Say what `compare` says of both revisions, each with the settings of its own."""
    titles = (changes.PAIR[0].title, changes.PAIR[1].title)
    before = ""
    for heading, where in ((f"Before, at {code(revision)}", revision), ("Now", revisions.WORKSPACE)):
        yield f"## {heading}: {titles[0]} or {titles[1]}?"
        text = _verdict(where, settings, titles)
        yield "The same as before." if text == before else text
        before = text


def _verdict(revision: str | None, settings: params.Compare, titles: sentences.Titles) -> str:
    """Say what `compare` says of one revision: its table and its sentences."""
    try:
        both = [changes.read_predictions(path, revision) for path in changes.PATHS.values()]
        one, other = pair(both[0], both[1], titles)
        own = _settings(revision, settings)
        result = {"part": one.part} | comparison.compare(one, other, own)
        summaries = scores.summary(one, own), scores.summary(other, own)
    except ValueError as error:
        return plain(f"Cannot tell. {error}")
    shown = console.comparison_table(*summaries, result, titles)
    headings, *rows = zip(*([str(column.header), *map(str, column.cells)] for column in shown.columns))
    texts = sentences.comparison(*summaries, result, titles, own.margin, sentences.SCOPE_OF_RUN)
    return "\n\n".join([plain(str(shown.title)), table(headings, rows), _list(texts)])


def _settings(revision: str | None, settings: params.Compare) -> params.Compare:
    """Return the section compare of a revision's params.yaml, as far as it has the keys of today."""
    values = yaml.safe_load(revisions.read("params.yaml", revision)).get("compare", {})
    known = {key: value for key, value in values.items() if key in params.Compare.model_fields}
    return settings.model_copy(update=known)


def _parameters(revision: str) -> Rows:
    """Return the rows of `dvc params diff`."""
    rows = [(code(key if path == "params.yaml" else f"{path}:{key}"), _value(each["old"]), _value(each["new"]))
            for path, values in sorted(revisions.ask_dvc("params", "diff", revision).items())
            for key, each in sorted(values.items())]
    return ("parameter", "before", "now"), rows, f"`dvc params diff {revision}`"


def _metrics(revision: str) -> Rows:
    """Return the rows of `dvc metrics diff`."""
    rows = []
    for path, values in sorted(revisions.ask_dvc("metrics", "diff", revision).items()):
        for key, each in sorted(values.items()):
            change = f"{metrics.rounded(each['diff']):+.4g}" if "diff" in each else ""
            rows.append((code(f"{path}:{key}"), _value(each["old"]), _value(each["new"]), change))
    return ("metric", "before", "now", "change"), rows, f"`dvc metrics diff {revision}`"


def _value(value: object) -> str:
    """Write a value of a parameter or a metric; nothing where a revision lacks it."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else code(value or '""') if isinstance(value, str) else str(value)


def _turned(judged: list[Change]) -> dict[str, Rows]:
    """Return the images of each competitor that most seeds had right before and do not now, and the other way round."""
    tables: dict[str, Rows] = {}
    for change in judged:
        if change.before and change.now:
            rows = gate.turned(change.before, change.now)
            seeds = len(change.now.seeds)
            for heading, some in (("no longer right", rows[rows.now < rows.before]),
                                  ("now right", rows[rows.now > rows.before])):
                cells = [(code(row.file), code(row.label), f"{row.before * seeds:.0f}", f"{row.now * seeds:.0f}")
                         for row in some.itertuples(index=False)]
                if not cells:
                    continue
                tables[f"{change.competitor.title}: {plural(len(cells), 'image')} {heading}"] = (
                    ("image", "class", f"seeds right before (of {seeds})", "now"), cells,
                    f"see `{changes.PATHS[change.competitor.name]}`")
    return tables


def _gallery(revision: str) -> dict[str, Rows]:
    """Return the images that came into the gallery or left it, if both revisions have one."""
    try:
        before, now = (metrics.read_table(io.BytesIO(revisions.read(GALLERY, each)))
                       for each in (revision, revisions.WORKSPACE))
    except revisions.RevisionError:
        return {}
    sets = [{(row.group, row.file) for row in rows.itertuples()} for rows in (before, now)]
    cells = [(code(group), code(file), "left" if (group, file) in sets[0] else "new")
             for group, file in sorted(sets[0] ^ sets[1])]
    return {"Gallery": (("group", "image", "change"), cells, f"see `{GALLERY}`")}


def _images(drawn: list[plots.Plot], prefix: str) -> Iterator[str]:
    """Show the plots; what two images show stands side by side."""
    yield f"{IMAGES_FOLLOW}\n\n## Plots"
    for plot in drawn:
        yield f"### {plain(plot.title)}"
        if set(plot.files) == {"before", "now"}:
            yield table(["before", "now"], [[image(f"{plot.title}, {which}", f"{prefix}/{plot.files[which]}")
                                             for which in ("before", "now")]])
        else:
            yield "\n\n".join(f"{which}\n\n".lstrip() + image(plot.title, f"{prefix}/{name}")
                              for which, name in plot.files.items())

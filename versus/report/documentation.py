"""Write the tables and the plot of README.md and docs/ from committed metrics: `make docs`.

A page marks the place of a table with `<!-- table: NAME -->` and `<!-- end -->`; what stands between is replaced. The
metrics are those of the runs in docs/runs, which docs/runs/run.sh repeats, and of the default run in metrics/details.
"""

import re
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from versus.artifacts import metrics
from versus.command import run
from versus.evaluation import article
from versus.evaluation.findings import by_size
from versus.frameworks import COMPETITORS
from versus.recipe import conventions
from versus.report import figures, sentences, speed
from versus.report.numbers import percentage, signed
from versus.report.sentences import image_noun

PAGES = ["README.md", "docs/results.md", "docs/parity.md", "docs/conventions.md", "docs/speed.md"]
WATERFALLS = {  # plot: the rows that it draws
    "docs/waterfall.svg": "avp-native/waterfall.csv", "docs/waterfall_2018.svg": "avp-2018/waterfall.csv",
    "docs/waterfall_keras.svg": "avp-eras/keras_waterfall.csv",
    "docs/waterfall_torch.svg": "avp-eras/torch_waterfall.csv",
}
WIDTH = 120  # characters of a line of prose
SPEED = "docs/speed.svg"
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
PAIR = (COMPETITORS["keras"], COMPETITORS["torch"])  # whom the pages compare
RUNS = Path("docs/runs")
DEFAULT = Path("metrics/details")
SETTINGS = {"avp-2018": "each framework's own of 2018", "avp-native": "each framework's own of today",
            "avp-keras": "Keras's of today in both", "avp-torch": "PyTorch's of today in both"}
PARITY_RUNS = {"avp-keras-float64": "float64, `keras`", "avp-torch-float64": "float64, `torch`",
               "avp-keras-float32-20x30": "float32, `keras`", "avp-torch-float32-20x30": "float32, `torch`"}
PARITY_ROWS = {
    "pixels": "pixel values (16 images)", "features": "features (relative L2, worst image)",
    "statistics": "running statistics (relative L2)",
    "losses": "losses (relative, worst step of the worst seed)", "losses_median": "losses of the median seed",
    "weights": "head's weights (relative L2, worst seed)", "probabilities": "probabilities (absolute, worst seed)",
}
KINDS = {"": "", "heads_": ", heads alone", "control_": ", control"}


def write(text: str) -> str:
    """Return a page's `text` with all its tables written anew."""
    return BLOCK.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[4]}", text)


def answer() -> str:
    """Write the runs of Alien vs. Predator: each framework's own defaults, in 2018 and today, then equal defaults."""
    rows = [["the article of 2018, one run of ResNet-50", *(f"{value:.3f}" for value in article.ACCURACY.values()),
             f"{article.DIFFERENCE:+.3f}"]]
    for name, settings in SETTINGS.items():
        one, other, result = _run(RUNS / name)
        rows.append([settings, _score(one), _score(other), _difference(result, "accuracy")])
    return _table(["defaults", *_titles(), "difference (95 % interval)"], rows)


def scores() -> str:
    """Write the same with log loss, verdict and the article's result."""
    rows = [["the 2018 article", "accuracy", *(f"{value:.3f}" for value in article.ACCURACY.values()),
             f"{article.DIFFERENCE:+.3f}", ""]]
    for name, settings in SETTINGS.items():
        one, other, result = _run(RUNS / name)
        rows.append([settings, "accuracy", _score(one), _score(other), _difference(result, "accuracy"),
                     _verdict(result)])
        rows.append(["", "log loss", _score(one, "log_loss"), _score(other, "log_loss"),
                     _difference(result, "log_loss"), ""])
    return _table(["defaults", "score", *_titles(), "difference (95 % interval)", "verdict"], rows)


def explanation(path: Path) -> str:
    """Write the shares that a file holds."""
    shares = metrics.read_table(path)
    accuracy, log_loss = (shares[shares.metric == metric].set_index("name") for metric in ("accuracy", "log_loss"))
    names = by_size(shares, "accuracy").name
    last = {"all conventions": "sum"}
    if (shares.kind == "residual").any():
        last["not explained"] = "not explained"
    rows = [[f"`{name}`" if name not in last else last[name], _share(accuracy.loc[name]),
             _share(log_loss.loc[name])] for name in (*names, *last)]
    return _table(["convention", "accuracy (95 % interval)", "log loss (95 % interval)"], rows)


def variation() -> str:
    """Write how much runs with the same settings vary with seeds and views."""
    runs = {"avp-native": "today, 10 seeds", "avp-40-seeds": "today, 40 seeds"} | {
        f"avp-views-{number}": f"today, 10 seeds, other views (`extract.seed={number}`)" for number in (1, 2, 3)} | {
        "avp-2018": "2018, 10 seeds"} | {
        f"avp-2018-views-{number}": f"2018, 10 seeds, other views (`extract.seed={number}`)" for number in (1, 2, 3)}
    rows = []
    for name, what in runs.items():
        one, other, result = _run(RUNS / name)
        spread = f"{result['single_run_sd']:.3f}" if "single_run_sd" in result else ""
        rows.append([what, _score(one), _score(other), _signed(result["accuracy_difference"]), spread,
                     _chance(result, "one"), _chance(result, "other")])
    return _table(["run", *_titles(), "difference", "standard deviation of a single run's difference",
                   *(f"two runs of {title} differ by 3.5 points or more" for title in _titles())], rows)


def splits() -> str:
    """Write what other splits, views and seeds change."""
    rows = []
    for name, what in {"avp-splits": "today", "avp-2018-splits": "2018"}.items():
        result = metrics.read(RUNS / name / "splits.json")
        rows.append([what, f"{result['accuracy_one']:.3f}", f"{result['accuracy_other']:.3f}",
                     _difference(result, "accuracy"),
                     f"{percentage(result['probability_other_better'])} ({percentage(result['probability_low'])} to "
                     f"{percentage(result['probability_high'])})",
                     *(f"{result[f'sd_{source}']:.3f}" for source in ("images", "training", "views", "seed"))])
    return _table(["defaults", *_titles(), "difference (95 % interval)", f"{_titles()[1]} better in single runs",
                   *(f"sd by {source}" for source in ("validation images", "training images", "views", "seeds"))], rows)


def _chance(result: dict, who: str) -> str:
    """Write in how many pairs of runs of `who`, one or other, accuracies differ by the gap; "" where not counted."""
    if f"chance_of_gap_{who}" not in result:
        return ""
    share, low, high = (result[f"chance_of_gap_{who}{end}"] for end in ("", "_low", "_high"))
    return f"{percentage(share)} ({percentage(low)} to {percentage(high)})"


def default_run() -> str:
    """Write the scores of the default run."""
    one, other, result = _run(DEFAULT)
    rows = [[label, _score(one, name), _score(other, name), _difference(result, name)]
            for name, label in (("accuracy", "accuracy"), ("log_loss", "log loss"))]
    return _table([f"{result['images']} {image_noun(result)}s, {result['seeds']} seeds", *_titles(),
                   "difference (95 % interval)"], rows) + f"\n\nVerdict: {_verdict(result)}."


def parity() -> str:
    """Write the largest differences of runs with equal conventions."""
    runs = [metrics.read(RUNS / run / "parity.json") for run in PARITY_RUNS]
    rows = []
    for name, label in PARITY_ROWS.items():
        rows += [[label + kind, *(_power_of_ten(run[prefix + name]) for run in runs)]
                 for prefix, kind in KINDS.items() if prefix + name in runs[0]]
    rows += [[f"predicted classes{kind}", *(f"{run[prefix + 'classes']} of {run['predictions']:,}" for run in runs)]
             for prefix, kind in KINDS.items()]
    return _table(["largest difference", *PARITY_RUNS.values()], rows)


def defaults_of_eras(column: str) -> str:
    """Write a column of the table of conventions, "words" or "source", of each framework in each era."""
    rows = []
    for name, defaults in conventions.TABLE.items():
        for competitor in PAIR:
            texts = [getattr(defaults[competitor.framework][era], column) for era in (2018, "today")]
            rows.append([f"`{name}`", competitor.title, texts[0], "the same" if texts[0] == texts[1] else texts[1]])
    return _table(["convention", "framework", "2018", "today"], rows)


def speeds(kind: Callable[[pd.DataFrame], speed.Table]) -> str:
    """Write a table of what `make benchmark` measured."""
    return _table(*kind(speed.read()))


def speed_answer() -> str:
    """Write who is faster, in two sentences and a small table."""
    rows = speed.read()
    said = (f"**Which is faster?** {speed.answer(rows)} [Measured in turn](docs/speed.md): medians (lowest to "
            "highest), once where there is no range; above 1 where Keras is better.")
    return f"{textwrap.fill(said, WIDTH, break_on_hyphens=False)}\n\n{_table(*speed.short(rows))}"


def machine() -> str:
    """Write what the benchmark was measured on."""
    measured = [metrics.read(f"benchmark/speed/results/{name}.json") for name in ("frameworks", "pipeline")]
    names = list(dict.fromkeys(name for each in measured for name in each))
    return _table(["measured on", "frameworks", "pipeline"],
                  [[name.replace("_", " "), *(str(each.get(name, "")) for each in measured)] for name in names])


TABLES: dict[str, Callable[[], str]] = {
    "answer": answer, "scores": scores, "variation": variation, "default-run": default_run, "parity": parity,
    "explanation": partial(explanation, RUNS / "avp-native/explain.csv"),
    "explanation-2018": partial(explanation, RUNS / "avp-2018/explain.csv"),
    "eras-keras": partial(explanation, RUNS / "avp-eras/keras.csv"),
    "eras-torch": partial(explanation, RUNS / "avp-eras/torch.csv"),
    "splits": splits,
    "planted": partial(explanation, RUNS / "avp-planted/explain.csv"),
    "default-explanation": partial(explanation, DEFAULT / "explain.csv"),
    "speed": speed_answer, "speed-all": partial(speeds, speed.table),
    "speed-onnxruntime": partial(speeds, speed.against_onnxruntime),
    "speed-bfloat16": partial(speeds, speed.bfloat16),
    "speed-pipeline": partial(speeds, speed.pipeline), "speed-stages": partial(speeds, speed.stages),
    "speed-machine": machine, "speed-growth": lambda: _table(*speed.growth(metrics.read_table(speed.GROWTH))),
    "conventions": partial(defaults_of_eras, "words"), "sources": partial(defaults_of_eras, "source"),
}


def waterfall(path: Path) -> str:
    """Draw the effect of each convention, the rows of a CSV file, with the template of `dvc plots`: SVG."""
    return figures.svg(figures.WATERFALL, metrics.read_table(path).assign(rev=""), background="white")


def _run(folder: Path) -> tuple[dict, dict, dict]:
    """Read both competitors' scores and their comparison."""
    paths = [folder / f"{name}.json" for name in (PAIR[0].name, PAIR[1].name, "compare")]
    if missing := [path for path in paths if not path.is_file()]:
        raise ValueError(f"got no file {missing[0]}; expected the results of a run: `make repro` writes those in "
                         "metrics/details, `bash docs/runs/run.sh FOLDER` the others, FOLDER with Alien vs. Predator's "
                         "images")
    one, other, result = map(metrics.read, paths)
    return one, other, result


def _titles() -> list[str]:
    return [competitor.title for competitor in PAIR]


def _verdict(result: dict) -> str:
    return sentences.verdict(result, (PAIR[0].title, PAIR[1].title), result["margin"])


def _score(scores: dict, name: str = "accuracy") -> str:
    return f"{scores[name]:.3f} ± {scores[f'{name}_sd']:.3f}"


def _difference(result: dict, name: str) -> str:
    low, high = result[f"{name}_low"], result[f"{name}_high"]
    text = f"{_signed(result[f'{name}_difference'])} ({_signed(low)} to {_signed(high)})"
    return f"**{text}**" if low > 0 or high < 0 else text


def _share(row: pd.Series) -> str:
    if row.kind == "convention" and row.low == row.high:
        return "0.000 (exact)"
    text = f"{_signed(row.share)} ({_signed(row.low)} to {_signed(row.high)})"
    return f"**{text}**" if row.significant else text


def _signed(value: float) -> str:
    """Write a number with its sign, a true minus, and three decimals."""
    return signed(value).replace("-", "−")


def _power_of_ten(value: float) -> str:
    """Write a number with one digit: 3e-6."""
    return f"{value:.0e}".replace("e-0", "e-") if value else "0"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [headings, ["---"] * len(headings), *rows])


def main() -> None:
    """Write all pages and plots."""
    for page in map(Path, PAGES):
        page.write_text(write(page.read_text(encoding="utf-8")), encoding="utf-8")
    for plot, rows in WATERFALLS.items():
        Path(plot).write_text(waterfall(RUNS / rows), encoding="utf-8")
    Path(SPEED).write_text(figures.svg(speed.SPEED, speed.drawn(speed.read()), background="white"), encoding="utf-8")


if __name__ == "__main__":
    run(main)

"""The comparison as a table and a sentence that a person reads at a glance."""

from rich import box
from rich.console import Console
from rich.table import Table

from versus.comparison import MOST_IMAGES

ROWS = {"accuracy": "accuracy", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC",
        "ece": "ECE"}


def comparison_table(keras, torch, result):
    """Return a rich Table of both frameworks' scores (metrics/<framework>.json) and of metrics/compare.json."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{_many(result['images'], 'validation image')}, "
                  f"{_many(result['seeds'], 'seed')} (mean ± sd of seeds; PyTorch minus Keras)", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("Keras", "PyTorch", "difference", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, label in ROWS.items():
        table.add_row(label, _score(keras, name), _score(torch, name), f"{torch[name] - keras[name]:+.3f}",
                      _interval(result, name))
    return table


def sentence(result, margin):
    """Say the verdict of metrics/compare.json, what it rests on, and how many images would decide it."""
    verdict = result["verdict"].replace("within margin", f"within {margin:g}")
    return (f"Verdict: {verdict}. McNemar's exact p = {result['mcnemar_p']:.2g} (first seed), both give the same class "
            f"to {result['agreement']:.1%} of the images; {_needed(result)}.")


def parity_sentence(parity):
    """Say what equal conventions leave of the difference, from metrics/parity.json; "" where they differ."""
    if parity["conventions"] != "equal":
        return ""
    return (f"Every convention is equal, so this verdict rests on the same numbers: features differ by "
            f"{parity['features']:.1g}, probabilities by {parity['probabilities']:.1g}, "
            f"{_many(parity['classes'], 'predicted class', 'predicted classes')} of "
            f"{parity['predictions']:,} by rounding alone (PyTorch against itself, each batch in reverse: "
            f"{parity['control_probabilities']:.1g} and {parity['control_classes']:,}).")


def show(keras, torch, result, parity, settings, console=None):
    """Print table and sentences; `parity`: metrics/parity.json, `settings`: params.compare."""
    console = console or Console(highlight=False)
    console.print(comparison_table(keras, torch, result))
    for text in filter(None, (sentence(result, settings.margin), parity_sentence(parity))):
        console.print(text, soft_wrap=not console.is_terminal)


def _score(scores, name):
    text = f"{scores[name]:.3f}"
    return f"{text} ± {scores[f'{name}_sd']:.3f}" if f"{name}_sd" in scores and scores["seeds"] > 1 else text


def _interval(result, name):
    if f"{name}_low" not in result:
        return ""
    return f"{result[f'{name}_low']:+.3f} to {result[f'{name}_high']:+.3f}"


def _needed(result):
    needed = result["images_needed"]
    if needed < 0:
        return "no number of images would decide it: more seeds are needed"
    number = f"more than {needed:,}" if needed >= MOST_IMAGES else f"{needed:,}"
    if result["verdict"] == "undecided":
        return f"{number} validation images would decide it with a chance of 80 %"
    return f"{number} validation images show a difference like this with a chance of 80 %"


def _many(number, noun, nouns=None):
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"

"""The comparison as a table and a sentence that a person reads at a glance."""

from rich import box
from rich.console import Console
from rich.table import Table

from versus import article
from versus.comparison import MOST_IMAGES
from versus.conventions import TABLE

ROWS = {"accuracy": "accuracy", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC",
        "ece": "ECE"}


# of the explanation, what stands below the conventions
LAST_ROWS = {"all conventions": "sum", "the two native runs": "native runs", "not explained": "not explained"}


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
    def differ(prefix):
        classes = _many(parity[f"{prefix}classes"], "predicted class", "predicted classes")
        return f"probabilities by {parity[f'{prefix}probabilities']:.1g}, {classes} of {parity['predictions']:,}"

    return (f"Every convention is equal, so this verdict rests on the same numbers: features differ by "
            f"{parity['features']:.1g}, {differ('')}, by rounding alone. Heads alone, trained on the same features: "
            f"{differ('heads_')}; PyTorch against itself, each batch in reverse: {differ('control_')}.")


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


def explanation_table(shares):
    """Return a rich Table of `explanation.explain`'s shares: conventions by size, then their sum and what is left."""
    table = Table(box=box.SIMPLE_HEAD, title="Why they differ: each convention's share (PyTorch minus Keras)",
                  title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("accuracy", "95 % interval", "log loss", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    accuracy, log_loss = (shares[shares.metric == metric].set_index("name") for metric in ("accuracy", "log_loss"))
    conventions = accuracy[accuracy.kind == "convention"].share.abs().sort_values(ascending=False, kind="stable").index
    for name in (*conventions, *LAST_ROWS):
        cells = [text for row in (accuracy.loc[name], log_loss.loc[name])
                 for text in (f"{row.share:+.3f}", f"{row.low:+.3f} {row.high:+.3f}")]
        table.add_row(LAST_ROWS.get(name, name), *cells)
    return table


def explanation_sentences(shares, summary):
    """Say in words which conventions matter, together and apart, what is left, and how much is luck."""
    accuracy = shares[shares.metric == "accuracy"]
    matters = accuracy[(accuracy.low > 0) | (accuracy.high < 0)]
    causes = matters[matters.kind == "convention"].sort_values("share", key=abs, ascending=False)
    named = [f"{row.name} ({row.share:+.3f}; {_habit(row.name)})" for row in causes.itertuples(index=False)]
    yield f"The cause of the difference in accuracy: {', '.join(named) or 'no convention shows one'}."
    interactions = matters[matters.kind == "interaction"]
    together = [f"{row.name} ({row.share:+.3f})" for row in interactions.itertuples(index=False)]
    if together:
        yield f"More together than apart: {', '.join(together)}."
    explained = summary["accuracy_residual_low"] <= 0 <= summary["accuracy_residual_high"]
    yield (f"Not explained: {summary['accuracy_residual']:+.3f}, " +
           ("within noise." if explained else "more than noise: a convention is missing from the table."))
    yield (f"Luck: a single run's difference has a standard deviation of {summary['single_run_sd']:.3f}; "
           f"two single runs of the same framework differ by the article's {article.DIFFERENCE:.3f} or more with a chance of "
           f"{summary['luck']:.0%}.")


def show_explanation(shares, summary, console=None):
    """Print table and sentences of the explanation."""
    console = console or Console(highlight=False)
    console.print(explanation_table(shares))
    for text in explanation_sentences(shares, summary):
        console.print(text, soft_wrap=not console.is_terminal)


def _habit(name):
    return TABLE[name]["torch"].words

"""The comparison as a table and a sentence that a person reads at a glance."""

from rich import box
from rich.console import Console
from rich.table import Table

from versus.evaluation import article
from versus.evaluation.comparison import MOST_IMAGES
from versus.recipe.conventions import TABLE

ROWS = {"accuracy": "accuracy", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC",
        "ece": "ECE"}
SEEN = 5e-4  # half of a table's last digit; less is the rounding of the same numbers, however narrow its interval
ROUNDING = 1e-3  # features (relative L2) are this close at float32, tenfold and more, if conventions are equal

# of the explanation, what stands below the conventions
LAST_ROWS = {"all conventions": "sum", "the two native runs": "native runs", "not explained": "not explained"}


def comparison_table(keras, torch, result):
    """Return a rich Table of both frameworks' scores (metrics/<framework>.json) and of metrics/compare.json."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{many(result['images'], 'validation image')}, "
                  f"{many(result['seeds'], 'seed')} (mean ± sd of seeds; PyTorch minus Keras)", title_justify="left")
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
        classes = many(parity[f"{prefix}classes"], "predicted class", "predicted classes")
        return f"probabilities by {parity[f'{prefix}probabilities']:.1g}, {classes} of {parity['predictions']:,}"

    if parity["features"] > ROUNDING:
        return (f"Every convention is equal, yet features differ by {parity['features']:.1g}, more than rounding makes "
                f"(below {ROUNDING:g}): parity is broken; run `make test`.")
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
    what = "this equivalence" if result["verdict"].startswith("equivalent") else "a difference like this"
    return f"{number} validation images show {what} with a chance of 80 %"


def many(number, noun, nouns=None):
    """Write a number and its noun, whose plural is `nouns` where an s does not make it."""
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
                 for text in (f"{row.share:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}")]
        table.add_row(LAST_ROWS.get(name, name), *cells)
    return table


def explanation_sentences(shares, summary, left_out=()):
    """Say in words which conventions matter, alone and together, what is left, and how much is luck.

    `left_out`: in what the native runs differ besides the conventions, as `explanation.left_out` lists it.
    """
    named = {metric: ", ".join(_causes(shares, metric)) for metric in ("accuracy", "log_loss")}
    yield (f"The cause of the difference in accuracy: {named['accuracy'] or 'no convention shows one'}; "
           f"in log loss: {named['log_loss'] or 'none'}.")
    for row in shares[shares.shown & (shares.metric == "accuracy") & (shares.kind == "interaction")].itertuples():
        yield f"Both together, beyond what each does alone: {row.name} ({row.share:+.3f})."
    explained = all(summary[f"{metric}_residual_low"] < SEEN and summary[f"{metric}_residual_high"] > -SEEN
                    for metric in named)
    why = " and ".join(left_out) or ("" if explained else "a convention is missing from the table")
    yield (f"Not explained: {summary['accuracy_residual']:+.3f} in accuracy, {summary['log_loss_residual']:+.3f} in "
           f"log loss, {'within' if explained else 'more than'} noise{why and f': {why}'}.")
    yield _luck(summary)


def _causes(shares, metric):
    """Each convention that shows a share: its name, share and, for accuracy, what PyTorch does there."""
    shown = shares[shares.shown & (shares.metric == metric) & (shares.kind == "convention")]
    for row in shown.sort_values("share", key=abs, ascending=False).itertuples():
        habit = f"; {TABLE[row.name]['torch'].words}" if metric == "accuracy" else ""
        yield f"{row.name} ({row.share:+.3f}{habit})"


def _luck(summary):
    if "luck" not in summary:
        return "Luck: unknown with one seed; raise train.seeds."
    return (f"Luck: over the seeds a single run's difference has a standard deviation of "
            f"{summary['single_run_sd']:.3f} around {summary['accuracy_total']:+.3f}; two single runs of the same "
            f"framework differ by the article's {article.DIFFERENCE:.3f} or more with a chance of "
            f"{summary['luck']:.0%} ({summary['luck_low']:.0%} to {summary['luck_high']:.0%}).")


def show_explanation(shares, summary, left_out=(), console=None):
    """Print table and sentences of the explanation."""
    console = console or Console(highlight=False)
    console.print(explanation_table(shares))
    for text in explanation_sentences(shares, summary, left_out):
        console.print(text, soft_wrap=not console.is_terminal)

"""What each convention contributes to the difference between the frameworks: Shapley shares of all combinations.

A combination follows PyTorch's habit in some of the conventions in which the two differ, Keras's in the others.
Its index counts in bits: bit j is set where convention j is PyTorch's. All arrays of combinations are in that order.
"""

from itertools import combinations as subsets
from math import comb

import numpy as np
import pandas as pd

from scipy.stats import chi2, norm

from versus.evaluation import article
from versus.evaluation.comparison import components, interval, log_losses, studentised
from versus.recipe.conventions import TABLE, Resolved, resolve


def factors(conventions):
    """List the conventions in which the frameworks differ under the params section."""
    keras, torch = resolve(conventions, "keras"), resolve(conventions, "torch")
    return [name for name in TABLE if getattr(keras, name) != getattr(torch, name)]


def combinations(conventions):
    """Resolve every combination of the differing conventions: a list of 2^k `Resolved`, Keras's own first."""
    names = factors(conventions)
    sides = resolve(conventions, "keras"), resolve(conventions, "torch")
    return [Resolved(**{name: getattr(sides[name in names and index >> names.index(name) & 1], name) for name in TABLE})
            for index in range(2 ** len(names))]


def of_combinations(params):
    """Take the views and seeds of the params section `explain` in place of those of the native runs.

    More seeds than the native runs have would have no counterpart there, so they are not trained.
    """
    extract = params.extract.model_copy(update={"views": params.explain.views})
    train = params.train.model_copy(update={"seeds": min(params.explain.seeds, params.train.seeds)})
    return params.model_copy(update={"extract": extract, "train": train})


def left_out(params):
    """List in words in what the native runs differ from the combinations besides the conventions."""
    found = []
    if params.explain.views != params.extract.views:
        found.append(f"other views (explain.views {params.explain.views}, extract.views {params.extract.views})")
    if not params.model.shared:
        found.append("PyTorch's own network and weights (model.weights: native)")
    return found


def shapley(count):
    """Make the weights (count, 2^count) that turn the values of all combinations into Shapley's shares.

    share[j] = sum over combinations S without j of |S|! (k-|S|-1)! / k! (v(S + j) - v(S)); Shapley (1953), A value for
    n-person games. The shares add up to v(all) - v(none), whatever the interactions.

    >>> shapley(2)  # of none, the first, the second, both
    array([[-0.5,  0.5, -0.5,  0.5],
           [-0.5, -0.5,  0.5,  0.5]])
    """
    weights = np.zeros((count, 2**count))
    for j in range(count):
        for without in _without(count, 1 << j):
            weight = 1 / (count * comb(count - 1, without.bit_count()))
            weights[j, without | 1 << j] += weight
            weights[j, without] -= weight
    return weights


def interactions(count):
    """Make the weights (pairs, 2^count) of Shapley's interaction index, pairs in the order of itertools.combinations.

    index[i, j] = sum over S without i, j of |S|! (k-|S|-2)! / (k-1)! (v(S+i+j) - v(S+i) - v(S+j) + v(S)): how much more
    the two do together than apart; Grabisch & Roubens (1999), International Journal of Game Theory 28.

    >>> interactions(2)
    array([[ 1., -1., -1.,  1.]])
    """
    pairs = list(subsets(range(count), 2))
    weights = np.zeros((len(pairs), 2**count))
    for row, (i, j) in enumerate(pairs):
        one, other = 1 << i, 1 << j
        for without in _without(count, one | other):
            weight = 1 / ((count - 1) * comb(count - 2, without.bit_count()))
            weights[row, [without | one | other, without]] += weight
            weights[row, [without | one, without | other]] -= weight
    return weights


def _without(count, bits):
    """The combinations in which none of `bits` is set."""
    return [index for index in range(2**count) if not index & bits]


def explain(names, probabilities, natives, labels, settings):
    """Divide the difference, torch minus keras, among the conventions `names`: a DataFrame of shares.

    probabilities: of all combinations, (2^k, seeds, images, classes). natives: those of the two native runs, keras and
    torch, (seeds, images, classes), of the same seeds. settings: params.compare. Columns metric (accuracy, log_loss),
    kind (convention, interaction, total, native, residual), name, share, low and high (the 95 % interval over new
    images and seeds), shown: whether the share is told from 0, with a chance of at most 5 % for any false one among
    all of its metric and kind (Bonferroni: their intervals of level 1 - 0.05/number).
    A share is linear in the predictions, so it has a value for each seed and image, and an interval like a difference.
    """
    pairs = [f"{one} x {other}" for one, other in subsets(names, 2)]
    rows = []
    for metric, score in (("accuracy", _right), ("log_loss", log_losses)):
        values = np.stack([score(each, labels) for each in probabilities])  # (2^k, seeds, images)
        native = score(natives[1], labels) - score(natives[0], labels)
        total = values[-1] - values[0]
        parts = {"convention": dict(zip(names, np.tensordot(shapley(len(names)), values, 1))),
                 "interaction": dict(zip(pairs, np.tensordot(interactions(len(names)), values, 1) if pairs else ())),
                 "total": {"all conventions": total}, "native": {"the two native runs": native},
                 "residual": {"not explained": native - total}}
        rows += [{"metric": metric, "kind": kind, "name": name,
                  **_estimate(cells, settings, len(named), metric == "accuracy" and kind in ("total", "native"))}
                 for kind, named in parts.items() for name, cells in named.items()]
    return pd.DataFrame(rows)


def _right(probabilities, labels):
    return (probabilities.argmax(axis=2) == labels).astype(float)


def _estimate(cells, settings, number, counts):
    """The mean of (seeds, images), its 95 % interval, and whether it is told from 0 as one of `number`."""
    cells = np.where(np.abs(cells) < 1e-12, 0.0, cells)  # weights of equal values cancel but for rounding
    found = components(cells, counts)
    drawn = studentised(cells, settings.bootstrap, np.random.default_rng(settings.seed))
    (low, high), (least, most) = (interval(found, level, drawn) for level in (0.95, 1 - 0.05 / number))
    return {"share": found.mean, "low": low + 0.0, "high": high + 0.0, "shown": least > 0 or most < 0}  # no -0.0


def luck(natives, labels, difference=article.DIFFERENCE):
    """The chance that two single trainings of the same framework differ by at least `difference` in accuracy.

    2 (1 - Phi((difference - 1/(2 images)) / (sqrt(2) s))), where s^2 is the mean of the two frameworks' variances over
    the seeds, with its 95 % interval from that of s^2, chi^2 with 2 (seeds - 1) degrees of freedom: (chance, low,
    high). `natives`: probabilities by keras and torch, (seeds, images, classes), two seeds or more. The default is
    what the 2018 article's two trainings differed by. Seeds share the augmented views, so other runs vary more.
    """
    accuracies = np.array([_right(native, labels).mean(axis=1) for native in natives])  # (frameworks, seeds)
    variance = accuracies.var(axis=1, ddof=1).mean()
    freedom = 2 * (accuracies.shape[1] - 1)
    apart = difference - 0.5 / len(labels)
    with np.errstate(divide="ignore"):  # seeds that all agree
        return tuple(float(2 * norm.sf(apart / np.sqrt(2 * variance * freedom / quantile)))
                     for quantile in (freedom, *chi2.ppf([0.975, 0.025], freedom)))


def single_run_sd(natives, labels):
    """The standard deviation over seeds, two or more, of a single run's accuracy difference."""
    keras, torch = (_right(native, labels).mean(axis=1) for native in natives)
    return float((torch - keras).std(ddof=1))


def summary(shares, natives, labels):
    """Make the flat mapping of metrics/explain.json; a convention in which the frameworks agree has a share of 0.

    Luck is that of all seeds of the `natives`; a single seed says nothing of it, and the mapping neither.
    """
    found = {}
    for metric in ("accuracy", "log_loss"):
        of_metric = shares[shares.metric == metric].set_index("name")
        for name in TABLE:
            row = of_metric.loc[name] if name in of_metric.index else {"share": 0.0, "low": 0.0, "high": 0.0}
            found |= _flat(f"{metric}_{name}", row)
        found |= _flat(f"{metric}_total", of_metric.loc["all conventions"])
        found |= _flat(f"{metric}_residual", of_metric.loc["not explained"])
    if len(natives[0]) == 1:
        return found
    chances = dict(zip(("luck", "luck_low", "luck_high"), luck(natives, labels)))
    return found | {"single_run_sd": single_run_sd(natives, labels)} | chances


def _flat(key, row):
    return {key: float(row["share"]), f"{key}_low": float(row["low"]), f"{key}_high": float(row["high"])}


def waterfall(shares, natives, labels):
    """Make the steps from Keras's accuracy to PyTorch's: step, start, end, share, low, high; largest share first.

    What the conventions leave of the difference of the `natives` is the step 'not explained'.
    """
    keras, torch = (float(_right(native, labels).mean()) for native in natives)
    of_accuracy = shares[shares.metric == "accuracy"]
    steps = of_accuracy[of_accuracy.kind == "convention"].sort_values("share", key=abs, ascending=False, kind="stable")
    steps = pd.concat([steps, of_accuracy[of_accuracy.kind == "residual"]])
    ends = [{"step": name, "start": value, "end": value, "share": 0.0, "low": 0.0, "high": 0.0}
            for name, value in (("Keras", keras), ("PyTorch", torch))]
    rows, reached = [], keras
    for step in steps.itertuples():
        rows.append({"step": step.name, "start": reached, "end": reached + step.share, "share": step.share,
                     "low": step.low, "high": step.high})
        reached += step.share
    return pd.DataFrame([ends[0], *rows, ends[1]])

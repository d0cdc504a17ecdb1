"""Findings in words: what is said, what is never said, and that no competitor's name is written into the code."""

import ast

import pandas as pd
import pytest

from tests.helpers.paths import ROOT
from versus.evaluation.comparison import EQUIVALENT, ONE_BETTER, OTHER_BETTER, UNDECIDED
from versus.evaluation.power import MOST_IMAGES
from versus import params
from versus.frameworks import COMPETITORS, Competitor
from versus.params import Conventions
from versus.report import sentences

TITLES = ("Forest", "Logistic")
RESULT = {"accuracy_difference": 0.035, "accuracy_low": -0.02, "accuracy_high": 0.09, "log_loss_difference": -0.1,
          "log_loss_low": -0.2, "log_loss_high": 0.01, "mcnemar_p": 0.243, "agreement": 0.875, "verdict": UNDECIDED,
          "images_needed": 1234, "images": 200, "seeds": 10}
PARITY = {"conventions": "equal", "features": 3e-6, "probabilities": 4e-6, "classes": 0, "predictions": 2000,
          "heads_probabilities": 3e-6, "heads_classes": 1, "control_probabilities": 2e-7, "control_classes": 0}
SUMMARY = {"accuracy_residual": 0.001, "accuracy_residual_low": -0.01, "accuracy_residual_high": 0.01,
           "log_loss_residual": -0.002, "log_loss_residual_low": -0.01, "log_loss_residual_high": 0.01,
           "single_run_sd": 0.012, "chance_of_published_gap": 0.07, "chance_of_published_gap_low": 0.02,
           "chance_of_published_gap_high": 0.13}


def comparison(**changes):
    return sentences.comparison(RESULT | changes, TITLES, 0.02)


# Comparison

@pytest.mark.parametrize("verdict, words", [
    (ONE_BETTER, "Forest better"), (OTHER_BETTER, "Logistic better"), (EQUIVALENT, "equivalent within 0.02"),
    (UNDECIDED, "undecided"),
])
def test_a_verdict_has_the_competitors_titles(verdict, words):
    assert sentences.verdict(RESULT | {"verdict": verdict}, TITLES, 0.02) == words
    assert comparison(verdict=verdict).startswith(f"Verdict: {words}. McNemar's")


def test_a_comparison_is_said_in_three_sentences():
    assert comparison() == ("Verdict: undecided. McNemar's exact test of the first seed alone: p = 0.24. Both give the "
                            "same class to 87.5% of the images. 1,234 validation images would decide it with a "
                            "probability of 80 %.")


REASONS = {"rests on all": "By itself this pair of training runs does not show the difference; the verdict rests on "
                           "all 10 seeds.",
           "caution": "It is not significant: the exact test is stricter than the interval, and one seed says nothing "
                      "about another. Treat the verdict with caution.",
           "variation": "It ignores that another seed can turn out differently; the verdict takes the variation "
                        "between all 10 seeds into account.",
           "margin": "A difference can be significant and yet smaller than the margin",
           "skewness": "The interval includes 0 all the same: it also allows for the skewness of so few images. Treat "
                       "the p-value with caution."}


@pytest.mark.parametrize("verdict, p, seeds, reason", [
    (ONE_BETTER, 0.06, 10, "rests on all"), (OTHER_BETTER, 0.9, 10, "rests on all"),
    (ONE_BETTER, 0.051, 1, "caution"), (OTHER_BETTER, 0.3, 1, "caution"),
    (UNDECIDED, 0.05, 10, "variation"), (UNDECIDED, 0.001, 10, "variation"), (UNDECIDED, 0.04, 1, "skewness"),
    (EQUIVALENT, 0.01, 10, "margin"), (EQUIVALENT, 0.05, 1, "margin"),
    (ONE_BETTER, 0.05, 10, None), (OTHER_BETTER, 0.01, 1, None), (ONE_BETTER, 1e-9, 1, None),
    (UNDECIDED, 0.051, 10, None), (UNDECIDED, 1.0, 1, None), (EQUIVALENT, 0.2, 10, None), (EQUIVALENT, 1.0, 1, None),
])
def test_where_mcnemars_test_and_the_verdict_differ_the_reason_is_given(verdict, p, seeds, reason):
    text = comparison(verdict=verdict, mcnemar_p=p, seeds=seeds)
    assert {name for name, words in REASONS.items() if words in text} == ({reason} if reason else set())
    assert "the first seed alone: p = " in text
    if reason is None:
        assert "%. Both give" not in text and f"p = {p:.2g}. Both give the same class" in text


def test_an_equivalence_of_several_seeds_with_a_significant_first_one_names_both_reasons():
    assert "smaller than the margin; the verdict rests on all 3 seeds. Both" in comparison(verdict=EQUIVALENT,
                                                                                          mcnemar_p=0.01, seeds=3)
    assert "smaller than the margin. Both" in comparison(verdict=EQUIVALENT, mcnemar_p=0.01, seeds=1)


@pytest.mark.parametrize("changes, words", [
    ({"images_needed": -1}, "No number of images would decide it: more seeds are needed."),
    ({"images_needed": MOST_IMAGES}, "More than 10,000,000 validation images would decide it"),
    ({"verdict": EQUIVALENT}, "1,234 validation images show this equivalence with a probability of 80 %."),
    ({"verdict": OTHER_BETTER}, "1,234 validation images show a difference like this with a probability of 80 %."),
])
def test_the_number_of_images_that_would_decide_is_said(changes, words):
    assert comparison(**changes).endswith(words if words.endswith(".") else f"{words} with a probability of 80 %.")


# Parity

def test_equal_conventions_leave_rounding():
    text = sentences.parity(PARITY, TITLES)
    for words in ("features by at most 3e-06, probabilities by at most 4e-06, 0 predicted classes of 2,000",
                  "by at most 3e-06, 1 predicted class of 2,000", "Logistic against itself",
                  "by at most 2e-07, 0 predicted classes of 2,000"):
        assert words in text


def test_equal_conventions_with_other_features_are_called_broken():
    broken = {"conventions": "equal", "features": 0.1}
    assert "parity is broken" in sentences.parity(broken, TITLES)
    assert not sentences.parity(broken | {"conventions": "different"}, TITLES)


# Explanation

def explanation(significant, summary=SUMMARY, differences=()):
    """The sentences on shares of which those named in `significant`, (metric, kind, name), are significant."""
    rows = [{"metric": metric, "kind": kind, "name": name, "share": share,
             "significant": (metric, kind, name) in significant}
            for metric in ("accuracy", "log_loss")
            for kind, name, share in (("convention", "adam", -0.01), ("convention", "batch_norm", 0.04),
                                      ("interaction", "adam x batch_norm", 0.02))]
    one, other = (Competitor(title.lower(), title, framework, "numpy", None)
                  for title, framework in zip(TITLES, ("keras", "torch")))
    return list(sentences.explanation(pd.DataFrame(rows), summary, (one, other), list(differences)))


def test_causes_are_named_the_largest_first_with_what_the_other_does():
    significant = [(metric, "convention", name)
                   for metric in ("accuracy", "log_loss") for name in ("adam", "batch_norm")]
    first, *others = explanation(significant)
    assert first.startswith("Cause of the difference in accuracy: batch_norm (+0.040; in Logistic a frozen layer under")
    assert "), adam (-0.010; in Logistic " in first
    assert first.endswith(" In log loss: batch_norm (+0.040), adam (-0.010).")
    assert len(others) == 2  # no interaction


def test_without_a_significant_share_no_cause_is_named():
    assert explanation([])[0] == ("Cause of the difference in accuracy: no convention has a significant share. In log "
                                  "loss: none significant.")


def test_a_significant_interaction_is_said():
    assert explanation([("accuracy", "interaction", "adam x batch_norm")])[1] == (
        "Together, adam x batch_norm change the accuracy by +0.020 beyond what each does alone.")
    assert len(explanation([("log_loss", "interaction", "adam x batch_norm")])) == 3


@pytest.mark.parametrize("changes, differences, words", [
    ({}, [], "within noise."), ({}, ["other views"], "within noise: other views."),
    ({"accuracy_residual_low": 0.001}, [], "more than noise: a convention is missing from the table."),
    ({"log_loss_residual_high": -0.001}, [], "more than noise: a convention is missing from the table."),
    ({"accuracy_residual_low": 0.001}, ["other views", "other weights"],
     "more than noise: other views and other weights."),
    ({"accuracy_residual_low": 4e-4}, [], "within noise."),  # less than a table shows
])
def test_what_the_conventions_leave_is_said(changes, differences, words):
    assert explanation([], SUMMARY | changes, differences)[-2] == (
        f"Not explained: +0.001 in accuracy, -0.002 in log loss, {words}")


def test_the_variation_between_seeds_is_said():
    assert explanation([])[-1] == (
        "Variation between seeds: retraining with another seed changes the difference by 0.012 (standard deviation). "
        "Two runs of the same framework differ by the article's 0.035 or more in 7% of cases (2% to 13%).")
    of_one_seed = {key: value for key, value in SUMMARY.items() if not key.startswith(("single", "chance"))}
    assert explanation([], of_one_seed)[-1] == "Variation between seeds: unknown with one seed; raise train.seeds."


# Eras and sizes

def test_enlarged_images_are_said_once_they_are_twice_as_large():
    assert sentences.enlargement(113, 224) == ""
    assert sentences.enlargement(32, 224) == (
        "The images, 32 pixels a side in the median, are enlarged 7.0 times (model.image_size: 224). How they are "
        "enlarged, the convention resize, can decide more than the framework.")


def test_defaults_of_2018_are_said():
    assert sentences.era(Conventions.of("native")) == ""
    assert "those of 2018: Keras 2.2.2" in sentences.era(Conventions.of("native", era=2018))


def test_what_moved_a_framework_is_said():
    rows = [{"metric": metric, "kind": kind, "name": name, "share": share, "low": share - 0.02, "high": share + 0.02,
             "significant": abs(share) > 0.02}
            for metric in ("accuracy", "log_loss")
            for kind, name, share in (("convention", "resize", 0.01), ("convention", "batch_norm", 0.04),
                                      ("total", "all conventions", 0.05))]
    pair = tuple(COMPETITORS[f"keras_{era}"] for era in params.ERAS[::-1])
    scores = [{"accuracy": 0.9, "accuracy_sd": 0.01}, {"accuracy": 0.95, "accuracy_sd": 0.02}]
    first, second = sentences.eras(pd.DataFrame(rows), scores, pair)
    assert first == ("From Keras 2018 (0.900 ± 0.010) to Keras today (0.950 ± 0.020) the accuracy moves by +0.050 "
                     "(+0.030 to +0.070).")
    assert second.startswith("Changed defaults with a significant share: batch_norm (+0.040; in Keras today a frozen "
                             "layer normalises with its stored statistics).")
    rows[2]["significant"] = rows[1]["significant"] = False
    first, second = sentences.eras(pd.DataFrame(rows), scores, pair)
    assert "does not move significantly (+0.050, +0.030 to +0.070)" in first and "share: none. In log" in second


# Neutrality

def words_of(tree):
    """All names and strings of a module, docstrings aside."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {node.body[0].value for node in ast.walk(tree)
                  if isinstance(node, documented) and ast.get_docstring(node) is not None}
    for node in ast.walk(tree):
        if node in docstrings:
            continue
        for _, value in ast.iter_fields(node):
            yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str))


ABOUT_THIS_PROJECT = ("article.py", "documentation.py")  # the published comparison, and pages on our own experiments


def test_no_competitor_is_named_in_evaluation_or_report():
    modules = [path for folder in ("evaluation", "report") for path in (ROOT / "versus" / folder).rglob("*.py")]
    assert {"comparison.py", "explanation.py", "sentences.py", "console.py"} <= {path.name for path in modules}
    named = [f"{path.name}: {word!r}" for path in modules if path.name not in ABOUT_THIS_PROJECT
             for word in words_of(ast.parse(path.read_text(encoding="utf-8")))
             if any(name in word.lower() for name in ("keras", "torch"))]
    assert not named


def test_the_test_of_neutrality_sees_names_and_strings_but_no_docstrings():
    module = ('"""About Keras."""\nimport torch\ndef f(keras_p):\n    """Of Keras."""\n'
              '    return f"{x} Keras"  # PyTorch\n')
    assert [word for word in words_of(ast.parse(module)) if "eras" in word or "orch" in word] == [
        "torch", "keras_p", " Keras"]

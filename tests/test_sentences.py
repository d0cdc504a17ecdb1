"""Findings in words: what is said, what is never said, and that no competitor's name is written into the code."""

import ast

import numpy as np
import pandas as pd
import pytest

from tests.helpers.paths import ROOT
from versus import params
from versus.evaluation.comparison import BOTH, EQUIVALENT, NEITHER, ONE, ONE_BETTER, OTHER, OTHER_BETTER, UNDECIDED
from versus.evaluation.completeness import Completeness
from versus.frameworks import COMPETITORS, Competitor
from versus.report import sentences

TITLES = ("Forest", "Logistic")
RESULT = {"accuracy_difference": 0.035, "p_value": 0.243, "agreement": 0.875, "verdict": UNDECIDED,
          "smallest_difference": 0.081, "seeds_of_same_sign": 8, "significant_seeds": 2, "share_of_images": 0.93,
          "single_run_sd": 0.012, "gap": 0.02, "chance_of_gap_one": 0.17, "chance_of_gap_one_low": 0.05,
          "chance_of_gap_one_high": 0.44, "chance_of_gap_other": 0.26, "chance_of_gap_other_low": 0.1,
          "chance_of_gap_other_high": 0.52, "better_than_majority": BOTH, "wrong": 23.0,
          "images": 200, "units": 200, "seeds": 10}
SCORES = {"majority": 0.5, "overconfidence": 0.012, "overconfidence_low": -0.01, "overconfidence_high": 0.034}
PARITY = {"conventions": "equal", "precision": "full", "features": 3e-6, "probabilities": 4e-6, "classes": 0,
          "predictions": 2000,
          "heads_probabilities": 3e-6, "heads_classes": 1, "control_probabilities": 2e-7, "control_classes": 0}


def comparison(scope=sentences.SCOPE_OF_RUN, **changes):
    """The sentences of a comparison, each a line."""
    return list(sentences.comparison(SCORES, SCORES, RESULT | changes, TITLES, 0.02, scope))


SPLITS = {"splits": 5, "images": 894, "units": 858, "training_images": 715, "view_sets": 3, "seeds": 10,
          "accuracy_difference": -0.031, "p_value": 0.0021, "probability_other_better": 0.09, "probability_low": 0.01,
          "probability_high": 0.5, "sd_images": 0.02, "sd_training": 0.004, "sd_views": 0.0, "sd_seed": 0.012,
          "sd_single_run": 0.024}


# Comparison

@pytest.mark.parametrize("verdict, words", [
    (ONE_BETTER, "Forest better"), (OTHER_BETTER, "Logistic better"), (EQUIVALENT, "equivalent within 0.02"),
    (UNDECIDED, "undecided"),
])
def test_a_verdict_has_the_competitors_titles(verdict, words):
    assert sentences.verdict(RESULT | {"verdict": verdict}, TITLES, 0.02) == words
    assert comparison(verdict=verdict)[0].startswith(f"Verdict: {words} (p = 0.24). ")


def test_several_splits_are_said_in_three_lines():
    title = "894 images, 858 independent, 5 splits, 3 sets of views, 10 seeds (Logistic minus Forest)"
    assert sentences.splits_title(SPLITS, TITLES) == title
    said = list(sentences.splits(SPLITS, TITLES))
    assert said == [
        "Over new images, training sets of 715 images, views and seeds: p = 0.0021.",
        "Logistic is more accurate than Forest in 9 % of single runs, each on one split with views and a seed of its "
        "own (ties count half; 1 % to 50 % by 5 splits).",
        "The difference of such a run varies by 0.024 (standard deviation; by source: the validation images 0.020, the "
        "seeds 0.012, the training images 0.004, the views 0.000)."]
    assert "the seeds" not in list(sentences.splits(SPLITS | {"seeds": 1}, TITLES))[2]


def test_a_comparison_is_said_in_six_lines():
    assert comparison() == [
        "Verdict: undecided (p = 0.24). Logistic is higher in 8 of 10 seeds; a single pair of runs would have shown "
        "a significant difference in 2 of them. Both give the same class to 87.5 % of the images.",
        sentences.SCOPE_OF_RUN,
        "Such images and seeds show a true difference of 0.081 or more with a probability of 80 %; `python -m versus "
        "sample-size` says what a smaller one needs.",
        "Images make 93 % of the difference's variance, which more seeds would not reduce. Between seeds, the "
        "difference of a pair of runs varies by 0.012 (standard deviation).",
        "Two runs of Forest differ by 0.02 or more in 17 % of pairs (5 % to 44 %), two of Logistic in 26 % of pairs "
        "(10 % to 52 %).",
        "Overconfidence, mean confidence minus accuracy (95 % interval): Forest +0.012 (-0.010 to +0.034), Logistic "
        "+0.012 (-0.010 to +0.034)."]


def test_the_scope_is_said_with_every_verdict():
    for verdict in (ONE_BETTER, OTHER_BETTER, EQUIVALENT, UNDECIDED):
        assert comparison(verdict=verdict)[1] == sentences.SCOPE_OF_RUN
    assert comparison(sentences.SCOPE_OF_FILES)[1] == sentences.SCOPE_OF_FILES and "views" not in comparison(
        sentences.SCOPE_OF_FILES)[1]


def test_a_verdict_stands_beside_no_p_value_that_contradicts_it():
    """'better' beside 'p = 0.73 (first seed)' read as a contradiction."""
    text = " ".join(comparison(verdict=ONE_BETTER, p_value=0.003, accuracy_difference=-0.05, seeds_of_same_sign=10,
                               significant_seeds=7))
    assert ("(p = 0.003). Logistic is lower in 10 of 10 seeds; a single pair of runs would have shown a significant "
            "difference in 7 of them.") in text
    assert text.count("p = ") == 1 and "McNemar" not in text and "0.73" not in text


@pytest.mark.parametrize("changes, words", [
    ({"seeds": 1}, "(p = 0.24, McNemar's exact test). Both give"),
    ({"seeds": 1, "units": 150}, "(p = 0.24). Both give"),
    ({"p_value": 1e-4}, "(p < 0.0001). "),
    ({"accuracy_difference": 0.0}, "(p = 0.24). Both give"),
    ({"verdict": EQUIVALENT, "p_value": 0.01}, "The difference is significant, yet smaller than the margin. Logistic"),
])
def test_the_p_value_is_said_as_what_it_is(changes, words):
    assert words in comparison(**changes)[0]


def test_after_a_verdict_no_number_of_images_is_said():
    for verdict in (ONE_BETTER, OTHER_BETTER, EQUIVALENT):
        assert "80 %" not in " ".join(comparison(verdict=verdict))
    assert "No difference would be shown by such images and seeds" in comparison(smallest_difference=1.0)[2]


@pytest.mark.parametrize("who, words", [
    (NEITHER, "Neither is significantly more accurate than naming the most frequent class for every image (0.950)."),
    (ONE, "Logistic is not significantly more accurate than naming"), (OTHER, "Forest is not significantly more"),
])
def test_who_does_not_beat_the_majority_is_said(who, words):
    scores = SCORES | {"majority": 0.95}
    text = list(sentences.comparison(scores, scores, RESULT | {"better_than_majority": who}, TITLES, 0.02, ""))
    assert text[2].startswith(words)
    assert ("neither beats the most frequent class" in text[0]) == (who == NEITHER)


def test_a_verdict_on_few_images_is_said_to_be_one():
    assert comparison(images=16, units=12, part="validation")[2].startswith(
        "Only 16 validation images, 12 independent: they show large differences alone")
    assert not any("Only" in line for line in comparison())


def test_two_seeds_and_few_wrong_answers_are_said():
    assert comparison(seeds=2)[3].endswith("Two seeds are too few for their spread: train three or more.")
    assert comparison(wrong=1.4)[-1].startswith("Fewer than 20 wrong answers (1 of the better one): the interval of "
                                                "the log loss is unreliable")


def test_the_article_is_named_where_its_difference_is_counted():
    assert "differ by the article's 0.035 or more in 17 %" in comparison(gap=0.035)[4]  # as a file has it
    assert "article" not in " ".join(comparison())


def test_one_seed_leaves_the_variation_unknown():
    assert comparison(seeds=1)[3] == "Variation between seeds: unknown with one seed; train more of them."


# Parity

def test_equal_conventions_leave_rounding():
    text = sentences.parity(PARITY, TITLES)
    for words in ("features by at most 3e-06, probabilities by at most 4e-06, 0 predicted classes of 2,000",
                  "by at most 3e-06, 1 predicted class of 2,000", "Logistic against itself",
                  "by at most 2e-07, 0 predicted classes of 2,000"):
        assert words in text


def test_equal_conventions_with_other_features_are_called_broken():
    broken = {"conventions": "equal", "precision": "full", "features": 0.1}
    assert "parity is broken" in sentences.parity(broken, TITLES)
    assert sentences.parity(broken | {"conventions": "different"}, TITLES).startswith("The conventions differ, and ")


def test_bfloat16_is_said_where_the_features_differ_by_it():
    text = sentences.parity(PARITY | {"precision": "bfloat16", "features": 0.1, "classes": 15}, TITLES)
    for words in ("in bfloat16", "features differ by at most 0.1", "15 predicted classes of 2,000"):
        assert words in text
    assert "broken" not in text
    assert "parity is broken" in sentences.parity(PARITY | {"precision": "bfloat16", "features": 0.6}, TITLES)


# Explanation

def explanation(significant, total=(0.01, 0.05)):
    """The sentences on shares of which those named in `significant`, (metric, kind, name), are significant.

    total: the interval of the sum of all conventions, in either metric.
    """
    rows = [{"metric": metric, "kind": kind, "name": name, "share": share, "low": low, "high": high,
             "significant": (metric, kind, name) in significant}
            for metric in ("accuracy", "log_loss")
            for kind, name, share, low, high in (
                ("convention", "adam", -0.01, -0.02, 0.0), ("convention", "batch_norm", 0.04, 0.0, 0.0),
                ("convention", "head_init", 0.005, 0.0, 0.0), ("interaction", "adam x batch_norm", 0.02, 0.0, 0.0),
                ("total", "all conventions", np.mean(total), *total))]
    one, other = (Competitor(title.lower(), title, framework, "numpy", None)
                  for title, framework in zip(TITLES, ("keras", "torch")))
    return list(sentences.explanation(pd.DataFrame(rows), (one, other)))


EVERY = [(metric, "convention", name) for metric in ("accuracy", "log_loss")
         for name in ("adam", "batch_norm", "head_init")]


def test_causes_have_the_sign_of_the_difference_and_others_work_against_it():
    first, second, *others = explanation(EVERY)
    assert first.startswith("Cause of the difference in accuracy: batch_norm (+0.040; in Logistic a frozen layer under")
    assert "), head_init (+0.005; in Logistic " in first and "; against it works adam (-0.010; in Logistic " in first
    assert second == ("Cause of the difference in log loss: batch_norm (+0.040), head_init (+0.005); against it works "
                      "adam (-0.010).")
    assert not others  # no interaction
    swapped = explanation(EVERY, total=(-0.05, -0.01))[1]
    assert swapped == ("Cause of the difference in log loss: adam (-0.010); against it works batch_norm (+0.040), "
                       "head_init (+0.005).")


def test_no_cause_is_named_of_a_difference_that_is_not_significant():
    """On ants and bees a cause of -0.008 was named, of a difference of +0.050 that could be 0."""
    text = explanation([("log_loss", "convention", "adam")], total=(-0.02, 0.12))
    assert text[1] == "No significant difference in log loss; within it, adam (-0.010) has a significant effect."
    assert text[0] == "No significant difference in accuracy; within it, no convention has a significant effect."
    assert "Cause" not in " ".join(text)
    both = explanation(EVERY, total=(-0.02, 0.12))[1]
    assert both.endswith("batch_norm (+0.040), adam (-0.010), head_init (+0.005) have a significant effect.")


def test_without_a_significant_share_no_cause_is_named():
    assert explanation([])[:2] == [f"Cause of the difference in {name}: no convention has a significant share."
                                   for name in ("accuracy", "log loss")]


def test_a_significant_interaction_is_said():
    assert explanation([("accuracy", "interaction", "adam x batch_norm")])[2] == (
        "Together, adam x batch_norm change the accuracy by +0.020 beyond what each does alone.")
    assert len(explanation([("log_loss", "interaction", "adam x batch_norm")])) == 2


@pytest.mark.parametrize("judged, differences, word, text", [
    (Completeness("", 0, 1, 2000), [], "yes",
     "Complete: each framework's defaults, all together, give the predictions of its own run (1 of 2,000 classes "
     "differ)."),
    (Completeness("heads", 1, 168, 2000), [], "no",
     "Incomplete: something outside the table of conventions differs; the shares do not explain the difference. It "
     "first appears in the heads of Logistic (168 of 2,000 classes differ): compare the versions, run `make test`, "
     "and report what you find."),
    (None, ["other views", "other weights"], "not judged",
     "Whether the conventions explain all of it cannot be judged: the native runs have other views and other weights."),
])
def test_whether_the_conventions_explain_all_is_said(judged, differences, word, text):
    assert sentences.complete(judged) == word
    assert sentences.completeness(judged, TITLES, differences) == text


# Eras and sizes

def test_enlarged_images_are_said_once_they_are_twice_as_large():
    assert sentences.enlargement(113, 224) == ""
    assert sentences.enlargement(32, 224) == (
        "The images, 32 pixels a side in the median, are enlarged 7.0 times (model.image_size: 224). How they are "
        "enlarged, the convention resize, can decide more than the framework.")


def test_defaults_of_2018_are_said():
    assert sentences.era("today") == ""
    assert "those of 2018: Keras 2.2.2" in sentences.era(2018)


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


# the published comparison, pages on our own experiments, and how fast these two frameworks are
ABOUT_THIS_PROJECT = ("article.py", "documentation.py", "speed.py")


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

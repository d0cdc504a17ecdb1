"""Tables and sentences as they are printed: nothing is cut at 80 columns, whatever the titles."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from tests.helpers.predictions import draw_combinations
from versus.evaluation import explanation
from versus.evaluation.findings import MOST_UNITS, Plan
from versus.frameworks import COMPETITORS
from versus.params import Compare
from versus.report import console as printing
from versus.report.numbers import interval, signed

SCORES = {"accuracy": 0.885, "accuracy_sd": 0.012, "balanced_accuracy": 0.85, "macro_f1": 0.84, "majority": 0.5,
          "log_loss": 0.3, "log_loss_sd": 0.02, "brier": 0.08, "roc_auc": 0.95, "overconfidence": 0.02,
          "overconfidence_low": -0.01, "overconfidence_high": 0.05, "ece": 0.03, "ece_by_chance": 0.029, "classes": 2,
          "images": 200, "units": 200, "seeds": 10}
RESULT = {"accuracy_difference": 0.035, "accuracy_low": -0.02, "accuracy_high": 0.09, "log_loss_difference": -0.1,
          "log_loss_low": -0.2, "log_loss_high": 0.01, "roc_auc_difference": 0.001, "roc_auc_low": -0.01,
          "roc_auc_high": 0.012, "p_value": 0.243, "agreement": 0.875, "verdict": "undecided",
          "smallest_difference": 0.08, "seeds_of_same_sign": 8, "significant_seeds": 2, "share_of_images": 0.93,
          "single_run_sd": 0.012, "gap": 0.02, "chance_of_gap_one": 0.17, "chance_of_gap_one_low": 0.05,
          "chance_of_gap_one_high": 0.44, "chance_of_gap_other": 0.26, "chance_of_gap_other_low": 0.1,
          "chance_of_gap_other_high": 0.52, "better_than_majority": "both", "wrong": 25.0, "images": 200, "units": 200,
          "seeds": 10}
ABOUT = {"part": "validation", "images": 200}  # of an explanation
PARITY = {"conventions": "equal", "precision": "full", "pixels": 0.0, "features": 3e-6, "statistics": 1e-6,
          "losses": 1e-6,
          "losses_median": 1e-6, "weights": 2e-6, "probabilities": 4.1e-6, "classes": 0, "predictions": 2000,
          "heads_losses": 1e-6, "heads_losses_median": 1e-6, "heads_weights": 1e-6, "heads_probabilities": 3e-6,
          "heads_classes": 1, "control_losses": 1e-7, "control_losses_median": 1e-7, "control_weights": 1e-7,
          "control_probabilities": 2e-7, "control_classes": 0}


def printed(show, *arguments, width=80, terminal=False):
    """Return what `show` prints to a pipe or a terminal of that width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=True, highlight=False)
    show(*arguments, console=console)
    return console.file.getvalue()


def print_comparison(titles=("Forest", "Logistic"), changes=None, without=(), **options):
    scores = [{name: value for name, value in each.items() if name not in without} | (changes or {})
              for each in (SCORES, SCORES | {"accuracy": 0.92})]
    return printed(printing.show_comparison, *scores, RESULT | (changes or {}), titles, 0.02, "Scope.", **options)


def cells(text, label):
    """The cells of the row that begins with `label`."""
    (row,) = [line.strip() for line in text.splitlines() if line.strip().startswith(label + "  ")]
    return re.split(r"\s{2,}", row)


def test_the_comparison_fits_a_pipe_of_eighty_columns():
    table, verdict, sentence = print_comparison().partition("Verdict")
    assert max(map(len, table.splitlines())) <= 80 and "…" not in table
    assert cells(table, "accuracy") == ["accuracy", "0.885 ± 0.012", "0.920 ± 0.012", "+0.035", "-0.020 to +0.090"]
    assert cells(table, "ROC AUC") == ["ROC AUC", "0.950", "0.950", "+0.001", "-0.010 to +0.012"]
    assert cells(table, "ECE (by chance)") == ["ECE (by chance)", "0.030 (0.029)", "0.030 (0.029)"]
    assert "200 validation images, 10 seeds (mean ± sd of seeds; Logistic minus Forest)" in table
    for words in ("undecided", "0.24", "87.5 %", "Scope."):
        assert words in sentence
    assert sentence.count("\n") == 6  # a pipe has no width at which a sentence would break


def test_a_terminal_breaks_sentences_at_its_width():
    sentences = print_comparison(terminal=True).partition("Verdict")[2]
    assert sentences.count("\n") > 8 and max(map(len, sentences.splitlines())) <= 80


@pytest.mark.parametrize("titles", [
    ("logistic_regression_with_all_features_standardised", "x"), ("x", "random forest of a thousand trees, by seed"),
    ("a/very/long/path/of/predictions/keras.csv", "another/very/long/path/of/predictions/keras.csv"), ("猫" * 20, "ö"),
])
def test_long_titles_are_folded_and_no_number_is_cut(titles):
    table = print_comparison(titles).partition("Verdict")[0]
    assert max(map(len, table.splitlines())) <= 80 and "…" not in table
    assert cells(table, "accuracy") == ["accuracy", "0.885 ± 0.012", "0.920 ± 0.012", "+0.035", "-0.020 to +0.090"]
    heading = table.partition("─")[0]
    for title in titles:  # every character of it is there, be it on several lines
        assert all(heading.count(character) >= title.count(character) for character in set(title))


def test_titles_are_shown_as_they_are():
    text = print_comparison(("[bold]a[/]", ":smile:"), {"verdict": "other better"})
    assert text.count("[bold]a[/]") > 2 and text.count(":smile:") > 2


def test_one_seed_has_no_deviation():
    text = print_comparison(changes={"seeds": 1})
    assert cells(text, "accuracy")[1:3] == ["0.885", "0.920"]
    assert "200 validation images, 1 seed (Logistic minus Forest)" in text and "±" not in text


def test_images_that_belong_together_are_counted():
    assert "200 validation images, 141 independent, 10 seeds" in print_comparison(changes={"units": 141})


def test_several_splits_have_a_table_of_their_own():
    result = {"splits": 5, "images": 894, "units": 894, "training_images": 715, "view_sets": 3, "seeds": 10,
              "accuracy_one": 0.94, "accuracy_other": 0.909, "accuracy_difference": -0.031, "accuracy_low": -0.05,
              "accuracy_high": -0.012, "p_value": 0.002, "probability_other_better": 0.09, "probability_low": 0.01,
              "probability_high": 0.5, "sd_images": 0.02, "sd_training": 0.004, "sd_views": 0.0, "sd_seed": 0.012,
              "sd_single_run": 0.024}
    text = printed(printing.show_splits, result, ("Forest", "Logistic"))
    assert "894 images, 5 splits, 3 sets of views, 10 seeds (Logistic minus Forest)" in " ".join(text.split())
    assert cells(text, "accuracy") == ["accuracy", "0.940", "0.909", "-0.031", "-0.050 to -0.012"]
    assert "p = 0.002" in text and "by source: the validation images 0.020" in text


def test_classes_of_unequal_size_have_the_rows_that_they_need():
    unequal = print_comparison(changes={"majority": 0.95})
    assert cells(unequal, "most frequent class") == ["most frequent class", "0.950", "0.950"]
    assert cells(unequal, "balanced accuracy")[1] == "0.850" and cells(unequal, "macro F1")[1] == "0.840"
    assert max(map(len, unequal.partition("Verdict")[0].splitlines())) <= 80
    assert "balanced" not in print_comparison() and "most frequent" not in print_comparison()


def test_the_range_of_the_brier_score_is_said():
    assert cells(print_comparison(), "Brier (0 to 1)") and cells(print_comparison(changes={"classes": 3}),
                                                                 "Brier (0 to 2)")


def test_a_score_that_the_images_do_not_define_has_no_row():
    text = print_comparison(without=("roc_auc",))
    assert "ROC AUC" not in text and cells(text, "ECE (by chance)") and "nan" not in text


def test_the_explanation_fits_a_pipe_of_eighty_columns_and_says_interactions():
    combinations = draw_combinations([-1.5, -1.5], images=2000)
    one, other = combinations[0], combinations[-1]
    shares = explanation.explain(["decode", "batch_norm"], combinations, one, other,
                                 Compare(margin=0.02, bootstrap=10000, seed=0))
    text = printed(printing.show_explanation, shares, ABOUT, "Complete.", tuple(COMPETITORS.values())[:2])
    table, _, sentences = text.partition("Cause of")
    assert max(map(len, table.splitlines())) <= 80 and "…" not in table
    assert "Together, decode x batch_norm change the accuracy by " in sentences
    rows = shares[shares.metric == "accuracy"].set_index("name")
    for name, label in (("batch_norm", "batch_norm"), ("all conventions", "sum"),
                        ("the two native runs", "native runs"), ("not explained", "not explained")):
        row = rows.loc[name]
        assert cells(table, label)[1:3] == [signed(row.share), interval(row.low, row.high)]


def test_a_default_that_changes_nothing_is_said_to_be_exactly_without_effect():
    before, after = draw_combinations([-1.0])
    shares = explanation.explain(["decode", "adam"], [before, before, after, after], before, after,
                                 Compare(margin=0.02, bootstrap=100, seed=0))
    text = printed(printing.show_explanation, shares, ABOUT, "Complete.", tuple(COMPETITORS.values())[:2])
    assert cells(text, "decode")[1:] == ["0.000", "exact", "0.000", "exact"]
    assert "exact" not in " ".join(cells(text, "adam"))


def test_parity_is_a_table_of_the_steps_and_says_what_it_means():
    text = printed(printing.show_parity, PARITY, ("Keras", "PyTorch"))
    assert max(map(len, text.partition("Every")[0].splitlines())) <= 80
    assert cells(text, "features") == ["features", "3e-06"]
    assert cells(text, "probabilities") == ["probabilities", "4.1e-06", "3e-06", "2e-07"]
    assert cells(text, "predicted classes") == ["predicted classes", "0 of 2,000", "1 of 2,000", "0 of 2,000"]
    assert "Every convention is equal, and what differs is rounding" in text
    assert cells(printed(printing.show_parity, PARITY | {"pixels": 230.0}, ("Keras", "PyTorch")), "pixel values") == [
        "pixel values", "230"]
    broken = PARITY | {"features": 0.1}
    assert printed(printing.show_parity, broken, ("Keras", "PyTorch")).endswith("run `make test`.\n")


def test_the_explanation_lists_conventions_by_size():
    combinations = draw_combinations([0.2, -1.5])
    one, other = combinations[0], combinations[-1]
    shares = explanation.explain(["adam", "resize"], combinations, one, other,
                                 Compare(margin=0.02, bootstrap=100, seed=0))
    text = printed(printing.show_explanation, shares, ABOUT, "Complete.", tuple(COMPETITORS.values())[:2])
    labels = [line.split()[0] for line in text.partition("─\n")[2].partition("Cause")[0].splitlines() if line.strip()]
    assert labels == ["resize", "adam", "sum", "native", "not"]
    assert np.abs(shares.share[:2]).is_monotonic_increasing


def test_sample_sizes_are_a_row_for_each_number_of_seeds():
    plan = Plan(difference=0.02, images=200, units=200, seeds=10, probability=0.423,
                images_needed={3: -1, 10: 12_345, 30: MOST_UNITS}, seeds_needed=40)
    text = printed(printing.show_sample_size, plan)
    assert cells(text, "3") == ["3", "no number"] and cells(text, "10") == ["10", "12,345"]
    assert cells(text, "30") == ["30", "more than 10,000,000"]
    assert text.endswith("With 200 images and 10 seeds, as in this run, the probability of showing it is 42 %; with "
                         "these images 40 seeds would be enough.\n")
    assert " ".join(text.split()).startswith("To show a difference of 0.02 in accuracy with a probability of 80 %:")

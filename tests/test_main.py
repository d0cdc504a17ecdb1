"""`python -m versus` as its user meets it: predictions by scikit-learn, in a folder without params.yaml."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from tests.helpers.paths import ROOT
from tests.helpers.predictions import draw_predictions, predictions_of, rows_of
from versus.__main__ import main
from versus.command import run

COMMANDS = ("card", "compare", "evaluate", "export", "gate", "page", "predict", "reference", "report", "sample-size",
            "show", "use")


def predict(make, seeds, some):
    """Train a classifier of digits on a bootstrap sample for each seed: the rows that a user would write."""
    images, digits = load_digits(return_X_y=True)
    images, digits = images[np.isin(digits, some)] / 16, digits[np.isin(digits, some)]
    train, test = train_test_split(np.arange(len(digits)), test_size=0.15, stratify=digits, random_state=0)
    parts = []
    for seed in range(seeds):
        sample = np.random.default_rng(seed).choice(train, len(train))
        with threadpool_limits(1):  # where tests share the cores, threads would spin in wait for each other
            classifier = make(seed).fit(images[sample], digits[sample])
        probabilities = classifier.predict_proba(images[test])
        parts.append(pd.DataFrame({"seed": seed, "file": [f"{i}.png" for i in test], "class": digits[test]}
                                  | {f"p_{name}": probabilities[:, k] for k, name in enumerate(classifier.classes_)}))
    return pd.concat(parts, ignore_index=True)


def forest(seed):
    return RandomForestClassifier(20, random_state=seed)


def logistic(seed):
    return LogisticRegression(C=0.1, max_iter=1000)


@pytest.fixture(scope="session")
def digits():
    """The rows of a random forest and of a logistic regression: ten classes, three seeds."""
    return predict(forest, 3, range(10)), predict(logistic, 3, range(10))


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: its exit code, what it prints and its errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["versus"])

    def call(*arguments):
        try:
            run(main, *map(str, arguments))
            code = 0
        except SystemExit as end:
            code = 1 if isinstance(end.code, str) else end.code
            print(end.code if code == 1 else "", file=sys.stderr)
        printed = capsys.readouterr()
        return code, printed.out, printed.err.strip()
    return call


def compare(call, one, other, *arguments, files=("one.csv", "other.csv")):
    """Write the rows of both, compare them without an error, and return what is printed."""
    for rows, file in zip((one, other), files):
        rows.to_csv(file, index=False)
    code, printed, errors = call("compare", *files, *arguments)
    assert (code, errors) == (0, "")
    assert max(map(len, printed.partition("Verdict: ")[0].splitlines())) <= 80
    assert "nan" not in printed and "…" not in printed
    return printed


def row(printed, label):
    """The cells of one row of the table."""
    (line,) = [line for line in printed.splitlines() if line.strip().startswith(label + "  ")]
    return re.split(r"\s{2,}", line.strip())[1:]


# Two classifiers of digits

def test_two_classifiers_of_scikit_learn_are_compared(call, digits):
    printed = compare(call, *digits)
    probabilities = [rows.filter(like="p_").to_numpy().reshape(3, -1, 10) for rows in digits]
    labels = digits[0]["class"].to_numpy().reshape(3, -1)[0]
    assert f"{len(labels)} validation images, 3 seeds (mean ± sd of seeds; other minus one)" in printed
    for label, score in (("accuracy", lambda values: accuracy_score(labels, values.argmax(axis=1))),
                         ("log loss", lambda values: log_loss(labels, values)),
                         ("ROC AUC", lambda values: roc_auc_score(labels, values, multi_class="ovr"))):
        means = [np.mean([score(of_seed) for of_seed in values]) for values in probabilities]
        cells = row(printed, label)
        assert [cell.split(" ±")[0] for cell in cells[:2]] == [f"{mean:.3f}" for mean in means]
        assert cells[2] == f"{means[1] - means[0]:+.3f}"
    accuracies = [(values.argmax(axis=2) == labels).mean(axis=1) for values in probabilities]
    assert row(printed, "accuracy")[0].endswith(f"± {accuracies[0].std(ddof=1):.3f}")
    low, high = map(float, row(printed, "accuracy")[3].split(" to "))
    assert low < accuracies[1].mean() - accuracies[0].mean() < high
    agreement = (probabilities[0].argmax(axis=2) == probabilities[1].argmax(axis=2)).mean()
    assert f"Both give the same class to {100 * agreement:.1f} % of the images." in printed


def test_one_seed_and_two_classes_are_compared(call):
    rows = predict(forest, 1, (3, 8)), predict(logistic, 1, (3, 8))
    printed = compare(call, *rows, "--titles", "Random forest", "Logistic regression")
    assert "54 validation images, 1 seed (Logistic regression minus Random forest)" in printed
    assert "±" not in printed and printed.count("\nVerdict: ") == 1


def test_swapped_files_give_the_opposite_difference(call, digits):
    printed, swapped = compare(call, *digits), compare(call, *reversed(digits))
    for label in ("accuracy", "log loss"):
        low, high = row(printed, label)[3].split(" to ")
        opposite = [text.translate(str.maketrans("+-", "-+")) for text in (high, low)]
        assert np.allclose([float(text) for text in opposite],
                           [float(text) for text in row(swapped, label)[3].split(" to ")], atol=2e-3)
        assert row(printed, label)[:2] == row(swapped, label)[1::-1]


def test_neither_order_nor_further_columns_nor_the_format_of_the_file_matter(call, digits, tmp_path):
    expected = compare(call, *digits, "--titles", "A", "B")
    one, other = digits
    columns = np.random.default_rng(0).permutation(other.columns)
    other = other.sample(frac=1, random_state=0)[columns]
    other.insert(2, "note, for me", 'said "yes"')
    (tmp_path / "one").write_bytes(one.to_csv(index=False).replace("\n", "\r\n").encode("utf-8-sig"))
    other.to_csv("other", index=False, quoting=1)
    code, printed, errors = call("compare", "one", "other", "--titles", "A", "B")
    assert (code, errors) == (0, "") and printed == expected


def test_files_are_named_by_their_stems_or_by_their_paths_where_those_are_equal(call, digits, tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    printed = compare(call, *digits, files=("first/p.csv", "second/p.csv"))
    assert "second/p.csv minus" in " ".join(printed.split())
    assert "logistic minus forest" in compare(call, *digits, files=("forest", "logistic.csv"))


def test_classes_may_have_any_names(call, digits):
    # sorted, as the order of the classes is that of the images, which the bootstrap draws
    names = sorted(["0", "a b", "c, d", "Übergröße", "p_p_", 'say "x"', "NA", "[red]", "None", "p_1"])
    renamed = [rows.rename(columns={f"p_{k}": f"p_{name}" for k, name in enumerate(names)})
               .assign(**{"class": rows["class"].map(dict(enumerate(names)))}) for rows in digits]
    assert compare(call, *renamed) == compare(call, *digits)


def test_identical_files_are_equivalent_if_the_images_suffice(call, digits):
    printed = compare(call, digits[0], digits[0])
    assert "Verdict: equivalent within 0.02 (p = 1). Both give the same class to 100.0 %" in printed
    assert row(printed, "log loss")[2:] == ["0.000", "0.000 to 0.000"]
    few = digits[0][digits[0]["file"].isin(digits[0]["file"][:20])]
    assert "Verdict: undecided (p = 1)." in compare(call, few, few)


def test_a_file_may_be_compared_with_itself(call, digits):
    digits[0].to_csv("p.csv", index=False)
    code, printed, errors = call("compare", "p.csv", "p.csv")
    assert (code, errors) == (0, "") and "equivalent" in printed


def test_perfect_predictions_that_are_certain_are_compared(call):
    labels = np.arange(300) % 10
    perfect = rows_of(predictions_of(np.tile(np.eye(10)[labels], (2, 1, 1)), labels, list("abcdefghij")))
    printed = compare(call, perfect, perfect)
    assert row(printed, "accuracy")[:3] == ["1.000 ± 0.000", "1.000 ± 0.000", "0.000"]
    assert row(printed, "ROC AUC")[:3] == ["1.000", "1.000", "0.000"] and "Verdict: equivalent" in printed


def test_a_certain_prediction_that_is_wrong_has_a_finite_loss(call):
    labels = np.arange(40) % 2
    right, wrong = (rows_of(predictions_of(np.eye(2)[classes][None], labels)) for classes in (labels, 1 - labels))
    printed = compare(call, right, wrong)
    assert row(printed, "log loss")[:2] == ["0.000", "36.044"] and "Verdict: one better (p < 0.0001, " in printed


@pytest.mark.parametrize("classes", [(0,), (0, 1, 2, 3, 5, 6, 7, 8, 9)])
def test_classes_of_which_no_image_exists_are_allowed(call, digits, classes):
    printed = compare(call, *(rows[rows["class"].isin(classes)] for rows in digits))
    assert ("ROC AUC" in printed) == (len(classes) > 1)
    assert len(row(printed, "Brier (0 to 2)")) == 4


# Wrong files

def refused(call, *arguments):
    """Run a command that must fail with 1 and a message that is no traceback; return the message."""
    code, printed, errors = call(*arguments)
    assert (code, printed) == (1, "") and errors.startswith("ERROR: ") and "Traceback" not in errors
    return errors


def test_files_that_do_not_go_together_are_refused(call, digits):
    digits[0].to_csv("forest.csv", index=False)
    digits[1][digits[1]["seed"] == 0].to_csv("logistic.csv", index=False)
    message = refused(call, "compare", "forest.csv", "logistic.csv")
    assert "forest and logistic cannot be compared: logistic has no predictions for the seeds 1, 2; expected" in message
    assert "Random forest and B cannot be compared: B has no" in refused(
        call, "compare", "forest.csv", "logistic.csv", "--titles", "Random forest", "B")


def test_a_comparison_of_one_image_is_refused(call):
    rows_of(draw_predictions(1, 1, 2)).to_csv("p.csv", index=False)
    message = refused(call, "compare", "p.csv", "p.csv")
    assert "got 1 independent validation image; expected at least 2: add validation images" in message


def test_missing_files_and_folders_are_refused(call, tmp_path):
    for file, reason in (("none.csv", "No such file or directory"), (".", "Is a directory")):
        assert f"{file}: {reason}; expected predictions as CSV" in refused(call, "compare", file, file)


@pytest.mark.parametrize("file", [0, 1])
@pytest.mark.parametrize("text, problems", [
    ("", ["got an empty file; expected a line with the columns seed, file, class and p_<class>"]),
    ("seed;file;class;p_a;p_b\n0;x;a;1;0\n", ["line 1: got columns separated by ';'; expected commas"]),
    ("name,p_a\nx,1\n", ["line 1: got no column 'seed' among 'name', 'p_a'; expected", "line 1: got no column 'file'",
                         "line 1: got no column 'class'", "line 1: got 1 columns p_<class>; expected at least two"]),
    ('seed,file,class,p_a,p_b\n0,"x\ny",a,1,0\n0.5,z,c,2,-1\n', [
        "line 4, column 'seed': got '0.5'; expected a whole number",
        "line 4, column 'class': got 'c', which has no column p_<class>; expected one of 'a', 'b'",
        "line 4, column 'p_a': got '2'; expected a probability from 0 to 1",
        "line 4, column 'p_b': got '-1'; expected a probability from 0 to 1"]),
])
def test_everything_that_is_wrong_with_a_file_is_listed(call, tmp_path, file, text, problems):
    files = ["good.csv", "good.csv"]
    files[file] = "bad.csv"
    rows_of(draw_predictions(1, 10, 2, names=("a", "b"))).to_csv("good.csv", index=False)
    (tmp_path / "bad.csv").write_text(text)
    message = refused(call, "compare", *files)
    for problem in problems:
        assert f"bad.csv: {problem}" in message
    assert len(message.splitlines()) == len(problems) + 1 and "Correct the file" in message


@pytest.mark.parametrize("margin", ["0", "1", "-1", "nan", "inf", "text", "", "2 %", "1e-400"])
def test_wrong_margins_are_refused(call, margin):
    rows_of(draw_predictions(1, 10, 2)).to_csv("p.csv", index=False)
    code, printed, errors = call("compare", "p.csv", "p.csv", "--margin", margin)
    assert code == 2 and not printed and "Traceback" not in errors
    assert errors.endswith(f"argument --margin: got {margin!r}; expected a share of the images between 0 and 1: 0.02 "
                           "is 2 points")


@pytest.mark.parametrize("margin", ["0.3", ".999", "1e-3"])
def test_the_margin_decides_what_is_equivalent(call, digits, margin):
    printed = compare(call, digits[0], digits[0], "--margin", margin)
    verdict = "undecided" if margin == "1e-3" else f"equivalent within {float(margin):g}"
    assert f"Verdict: {verdict} (p = 1)." in printed


def test_the_margin_is_by_default_that_of_params_yaml(call, digits, tmp_path):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(re.sub(r"(?m)^  margin: \S+", "  margin: 0.123", text))
    assert "equivalent within 0.123 (p" in compare(call, digits[0], digits[0])
    assert "equivalent within 0.2 (p" in compare(call, digits[0], digits[0], "--margin", "0.2")


def test_what_is_wrong_with_either_file_is_said_at_once(call, tmp_path):
    (tmp_path / "a.csv").write_text("seed,file\n")
    code, _, errors = call("compare", "a.csv", "missing.csv")
    assert code == 1 and "a.csv: line 1: got no column 'class'" in errors and "missing.csv: " in errors


def test_a_params_yaml_of_another_project_is_no_hindrance(call, digits, tmp_path):
    for text in ("compare: {threshold: 3}\n", "learning_rate: 0.1\n", "- a list\n", ": no yaml: [\n", ""):
        (tmp_path / "params.yaml").write_text(text)
        assert "equivalent within 0.02 (p" in compare(call, digits[0], digits[0])


# Sample size

def test_the_sample_size_of_any_two_files_is_said(call, digits):
    for name, rows in zip(("forest.csv", "logistic.csv"), digits):
        rows.to_csv(name, index=False)
    code, printed, errors = call("sample-size", "0.02", "--predictions", "forest.csv", "logistic.csv")
    assert (code, errors) == (0, "") and "To show a difference of 0.02" in printed
    images = len(digits[0]) // 3
    assert f"With {images} images and 3 seeds, as in this run, the probability of showing it is " in printed
    assert max(map(len, printed.partition("With ")[0].splitlines())) <= 80


def test_the_sample_size_is_by_default_that_of_the_current_run(call, tmp_path):
    assert "data/predictions/keras.csv: No such file" in refused(call, "sample-size", "0.02")
    assert "dvc repro" in refused(call, "sample-size", "0.02")
    (tmp_path / "data/predictions").mkdir(parents=True)
    for seed, name in enumerate(("keras", "torch")):
        rows_of(draw_predictions(2, 60, 2, rng=seed)).to_csv(f"data/predictions/{name}.csv", index=False)
    code, printed, _ = call("sample-size", "0.02")
    assert code == 0 and "60 images and 2 seeds" in printed


@pytest.mark.parametrize("difference", ["0", "1", "nan", "2 points", "-1"])
def test_wrong_differences_are_refused(call, difference, tmp_path):
    (tmp_path / "data/predictions").mkdir(parents=True)
    for name in ("keras", "torch"):
        rows_of(draw_predictions(2, 60, 2)).to_csv(f"data/predictions/{name}.csv", index=False)
    code, printed, errors = call("sample-size", difference)
    assert code != 0 and not printed and "Traceback" not in errors
    assert f"got a difference of {difference}" in errors or f"invalid float value: {difference!r}" in errors


# Help

@pytest.mark.parametrize("arguments", [(), ("--help",), *((command, "--help") for command in COMMANDS)])
def test_help_fits_eighty_columns_and_names_every_command(call, arguments):
    code, printed, errors = call(*arguments)
    assert (code, errors) == (0, "") and max(map(len, printed.splitlines())) <= 80
    assert printed.startswith(f"usage: python -m versus {' '.join(arguments[:-1])}".rstrip())
    if len(arguments) < 2:
        assert all(f"\n    {command}" in printed for command in COMMANDS)


def test_the_help_of_compare_says_what_a_file_holds(call):
    words = " ".join(call("compare", "--help")[1].split())
    for text in ("seed (which training run; 0 if there is one), file (the image's name), class (its true class) and "
                 "p_<class>", "0.02 is 2 points", "differences are B minus A", "rows and columns can be in any order"):
        assert text in words


def test_an_unknown_command_is_refused(call):
    code, _, errors = call("compere", "a", "b")
    assert code == 2 and re.search("invalid choice: 'compere' .*compare.*sample-size", errors)


@pytest.mark.parametrize("command", ["", "compare", "sample-size", "use", "show", "predict", "evaluate", "export",
                                     "page", "card", "gate", "report", "reference", "reference check"])
def test_help_is_quick_and_imports_nothing_but_python_itself(tmp_path, command):
    script = ("import runpy, sys, time\n"
              "before = set(sys.modules)\n"
              "sys.argv[0] = 'versus'\n"
              "try:\n    runpy.run_module('versus', run_name='__main__', alter_sys=True)\n"
              "except SystemExit: pass\n"
              "print('MODULES', *sys.modules.keys() - before)\nprint('SECONDS', time.process_time())")
    done = subprocess.run([sys.executable, "-c", script, *command.split(), "--help"], cwd=tmp_path, text=True,
                          capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    modules = done.stdout.partition("MODULES")[2].split("SECONDS")[0].split()
    assert "usage: python -m versus" in done.stdout and "argparse" in modules
    assert {name.split(".")[0] for name in modules} - sys.stdlib_module_names == {"versus"}
    assert float(done.stdout.partition("SECONDS")[2]) < 0.2


# As a program of its own

def program(folder, *arguments):
    return subprocess.run([sys.executable, "-m", "versus", *arguments], cwd=folder, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"})


def test_the_program_prints_the_comparison_alone(tmp_path, digits):
    for name, rows in zip(("forest.csv", "logistic.csv"), digits):
        rows.to_csv(tmp_path / name, index=False)
    done = program(tmp_path, "compare", "forest.csv", "logistic.csv")
    assert (done.returncode, done.stderr) == (0, "") and "logistic minus forest" in done.stdout
    assert done.stdout == program(tmp_path, "compare", "forest.csv", "logistic.csv").stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["forest.csv", "logistic.csv"]  # nothing is written


def test_the_program_ends_with_one_message_and_no_traceback(tmp_path):
    (tmp_path / "p.csv").write_text("seed,file,class,p_a,p_b\n" + "0,x,a,1,1\n" * 12)
    done = program(tmp_path, "compare", "p.csv", "p.csv")
    assert done.returncode == 1 and not done.stdout and "Traceback" not in done.stderr
    first, *others, last, remedy = done.stderr.splitlines()
    assert first == ("ERROR: p.csv: line 2, columns 'p_a' to 'p_b': got probabilities that sum to 2; expected 1")
    assert len(others) == 9 and last == "p.csv: and 13 more problems of this file" and remedy.startswith("Correct")

"""Files of predictions that cannot be used are refused: by line and column, all problems at once."""

import numpy as np
import pandas as pd
import pytest

from tests.helpers.predictions import draw_predictions, rows_of, written
from versus.artifacts import predictions_csv
from versus.artifacts.predictions import PredictionsError


@pytest.mark.parametrize("spoil, message", [
    (lambda rows: rows.drop(columns="file"), "line 1: got no column 'file' among 'seed', 'class', 'p_alien', "
     "'p_predator'; expected seed, file, class and p_<class>"),
    (lambda rows: rows.drop(columns="p_predator"), "line 1: got 1 columns p_<class>; expected at least two"),
    (lambda rows: rows.rename(columns={"p_predator": "p_alien"}), "line 1: got the column 'p_alien' 2 times; expected"),
    (lambda rows: rows.iloc[:0], "got no rows; expected one for each seed and image"),
    (lambda rows: rows.iloc[:-1], "seed 1: got no row for 'predator/009.jpg'; expected the files of seed 0"),
    (lambda rows: rows.iloc[1:], "seed 1: got rows for 'alien/000.jpg', which seed 0 lacks"),
    (lambda rows: pd.concat([rows, rows.iloc[:1]]), "line 22, column 'file': got 'alien/000.jpg' once more for seed 0"),
    (lambda rows: rows.replace({"class": {"alien": "aline"}}), "line 2, column 'class': got 'aline', which has no "
     "column p_<class>; expected one of 'alien', 'predator'"),
    (lambda rows: rows.assign(p_alien=rows["p_alien"] / 2), "line 2, columns 'p_alien' to 'p_predator': got "
     "probabilities that sum to 0."),
    (lambda rows: rows.assign(p_alien=np.nan), "line 2, column 'p_alien': got ''; expected a probability from 0 to 1"),
    (lambda rows: rows.assign(p_alien="high"), "line 2, column 'p_alien': got 'high'; expected a probability"),
    (lambda rows: rows.assign(p_alien=-0.1), "line 2, column 'p_alien': got '-0.1'; expected a probability"),
    (lambda rows: rows.assign(p_alien="0,5"), "line 2, column 'p_alien': got '0,5'; expected a probability"),
    (lambda rows: rows.assign(p_alien=87), "line 2, column 'p_alien': got '87'; expected a probability from 0 to 1"),
    (lambda rows: rows.assign(p_alien=0, p_predator=0), "line 2, columns 'p_alien' to 'p_predator': got probabilities "
     "that sum to 0; expected 1"),
    (lambda rows: rows.assign(seed=0.5), "line 2, column 'seed': got '0.5'; expected a whole number"),
    (lambda rows: rows.assign(seed="first"), "line 2, column 'seed': got 'first'; expected a whole number"),
    (lambda rows: rows.assign(seed=rows["seed"].replace({1: np.nan})), "line 12, column 'seed': got ''; expected"),
])
def test_unusable_predictions_are_refused_by_line_and_column(tmp_path, spoil, message):
    with pytest.raises(PredictionsError) as refused:
        written(spoil(rows_of(draw_predictions(2, 10, 2))), tmp_path / "p.csv")
    assert f"p.csv: {message}" in str(refused.value)
    assert "Correct the file" in str(refused.value)


def test_seeds_that_are_the_same_number_are_one_seed(tmp_path):
    rows = rows_of(draw_predictions(2, 10, 2))
    rows["seed"] = rows["seed"].map({0: "1", 1: "1.0"})
    with pytest.raises(PredictionsError, match="line 12, column 'file': got 'alien/000.jpg' once more for seed 1;"):
        written(rows, tmp_path / "p.csv")


def test_another_class_in_another_seed_is_refused(tmp_path):
    rows = rows_of(draw_predictions(2, 10, 2)).reset_index(drop=True)
    rows.loc[12, "class"] = "predator"
    with pytest.raises(PredictionsError, match="seed 1: got another class than in seed 0 for 'alien/004.jpg'"):
        written(rows, tmp_path / "p.csv")


def test_problems_of_every_kind_are_listed_at_once(tmp_path):
    rows = rows_of(draw_predictions(2, 10, 2)).reset_index(drop=True).astype(object)
    rows.loc[0, "p_alien"], rows.loc[3, "class"], rows.loc[19, "file"] = "x", "aline", "new.jpg"
    with pytest.raises(PredictionsError) as refused:
        written(rows, tmp_path / "p.csv")
    problems = str(refused.value).splitlines()
    for problem in ("line 2, column 'p_alien': got 'x'", "line 5, column 'class': got 'aline'",
                    "seed 1: got no row for 'predator/009.jpg'", "seed 1: got rows for 'new.jpg'"):
        assert any(problem in line for line in problems), problem
    assert len(problems) == 5  # the misspelled class is not also "another class"


@pytest.mark.parametrize("wrong, last", [
    (9, "line 10, column 'p_alien'"), (10, "line 11, column 'p_alien'"), (11, "and 1 more problem of this file"),
    (20, "and 10 more problems of this file"),
])
def test_ten_problems_are_listed_and_the_others_counted(tmp_path, wrong, last):
    rows = rows_of(draw_predictions(2, 10, 2)).reset_index(drop=True).astype(object)
    rows.loc[:wrong - 1, "p_alien"] = "x"
    with pytest.raises(PredictionsError) as refused:
        written(rows, tmp_path / "p.csv")
    *problems, remedy = str(refused.value).splitlines()
    assert len(problems) == min(wrong, 11) and f"p.csv: {last}" in problems[-1] and remedy.startswith("Correct")


@pytest.mark.parametrize("text, message", [
    ("", "got an empty file; expected a line with the columns seed, file, class and p_<class>"),
    ("\n\n", "got an empty file"),
    ("seed;file;class;p_a;p_b\n0;x;a;1;0\n", "line 1: got columns separated by ';'; expected commas, and decimal"),
    ("seed\tfile\tclass\tp_a\tp_b\n", "line 1: got columns separated by '\\t'; expected commas"),
    ("seed,file,class,p_a,p_b\n0,x,a,1,0\n0,y,a,1\n", "line 3: got 4 fields; expected 5, as in line 1"),
    ("seed,file,class,p_a,p_b\n0,x,a,1,0\n0,y,z,a,1,0\n", "line 3: got 6 fields; expected 5, as in line 1"),
    ("seed,file,class,p_a,p_b\n0,x,a,1,0,7\n0,y,a,1,0,7\n", "line 2: got 6 fields; expected 5, as in line 1"),
    ('seed,file,class,p_a,p_b\n0,x,a,1,0\n0,"y,a,1,0\n0,z,a,1,0\n', "line 3: got a row that is not CSV"),
    ('seed,file,class,p_a,p_b\n0,"x"y,a,1,0\n', "line 2: got a row that is not CSV"),
    # lines of the file, whatever stands in quotes or between the rows
    ('seed,file,class,p_a,p_b\n0,"x\ny",a,1,0\n\n0,z,a,1,1\n', "line 5, columns 'p_a' to 'p_b': got probabilities that "
     "sum to 2"),
    ('seed,file,class,p_a,p_b\r\n0,"x\r\ny",a,1,1\r\n', "line 2, columns 'p_a' to 'p_b': got probabilities that sum"),
    ('seed,file,class,"p_a\n",p_b\n0,x,b,1,1\n', "line 3, columns 'p_a\\n' to 'p_b': got probabilities that sum to 2"),
    ('\n\nseed,file,class,p_a,p_b\n0,x,a,1,1\n', "line 4, columns 'p_a' to 'p_b'"),
    ("<!DOCTYPE html>\n<html></html>\n", "line 1: got no column 'seed' among '<!DOCTYPE html>'"),
])
def test_files_that_are_no_such_csv_are_refused(tmp_path, text, message):
    (tmp_path / "p.csv").write_bytes(text.encode())
    with pytest.raises(PredictionsError) as refused:
        predictions_csv.read(tmp_path / "p.csv")
    assert f"p.csv: {message}" in str(refused.value)


def test_missing_files_and_folders_are_refused(tmp_path):
    for path, reason in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(PredictionsError) as refused:
            predictions_csv.read(path)
        assert str(refused.value).startswith(f"{path}: {reason}; expected predictions as CSV")
        assert "name a file that exists" in str(refused.value) and "dvc repro" in str(refused.value)


@pytest.mark.parametrize("encoding, line, byte", [("latin-1", 3, "0xe4"), ("utf-16", 1, "0xff")])
def test_other_encodings_are_refused_with_the_line(tmp_path, encoding, line, byte):
    (tmp_path / "p.csv").write_bytes("seed,file,class,p_a,p_b\n0,x,a,1,0\n0,Bär,a,1,0\n".encode(encoding))
    with pytest.raises(PredictionsError, match=f"line {line}: got the byte {byte}, which is not UTF-8; expected"):
        predictions_csv.read(tmp_path / "p.csv")

"""Files of metrics and of plots: valid JSON and CSV whose bytes depend on their content alone."""

import json

import numpy as np
import pandas as pd
import pytest

from versus.artifacts import metrics


def test_metrics_are_read_as_they_were_written(tmp_path):
    values = {"accuracy": 0.885, "images": 200, "verdict": "Ä besser", "recall_ü, \"x\"": 1.0, "zero": 0.0}
    metrics.write(tmp_path / "deep/er/keras.json", values)
    assert metrics.read(tmp_path / "deep/er/keras.json") == values
    text = (tmp_path / "deep/er/keras.json").read_text(encoding="utf-8")
    assert text.endswith("}\n") and "Ä besser" in text and '"images": 200' in text


NUMBERS = {"a": 1 / 3, "b": -2e-17 / 3, "c": 123456789.0, "d": -0.0, "e": np.float64(0.1), "f": 2e-8 / 3}


def test_numbers_are_rounded_to_six_significant_digits_and_noise_to_zero(tmp_path):
    metrics.write(tmp_path / "m.json", NUMBERS)
    assert (tmp_path / "m.json").read_text() == ('{\n  "a": 0.333333,\n  "b": 0.0,\n  "c": 123457000.0,\n  "d": 0.0,\n'
                                                 '  "e": 0.1,\n  "f": 6.667e-09\n}\n')


def test_parity_keeps_two_digits_of_any_number_however_small(tmp_path):
    metrics.write(tmp_path / "m.json", NUMBERS, digits=2)
    assert metrics.read(tmp_path / "m.json") == {"a": 0.33, "b": -6.7e-18, "c": 1.2e8, "d": 0.0, "e": 0.1, "f": 6.7e-9}


def test_registered_metrics_have_four_decimals(tmp_path):
    metrics.write_answer(tmp_path / "m.json", NUMBERS | {"images": 200, "verdict": "undecided", "g": -0.00004})
    assert metrics.read(tmp_path / "m.json") == {"a": 0.3333, "b": 0.0, "c": 123456789.0, "d": 0.0, "e": 0.1, "f": 0.0,
                                                 "images": 200, "verdict": "undecided", "g": 0.0}
    assert "-0.0" not in (tmp_path / "m.json").read_text()


@pytest.mark.parametrize("value", [0.1234565, 0.1234375, 0.9921875, 79 / 640, 1.2345675e-4, 5 / 128])
@pytest.mark.parametrize("write", [metrics.write, metrics.write_answer])
def test_noise_does_not_decide_how_a_tie_is_rounded(tmp_path, write, value):
    for name, noise in (("a", 0), ("b", 3e-17), ("c", -3e-17)):
        write(tmp_path / f"{name}.json", {"value": value + noise})
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_whole_numbers_are_not_rounded(tmp_path):
    metrics.write(tmp_path / "m.json", {"images_needed": 9_876_543, "seeds": -1})
    assert metrics.read(tmp_path / "m.json") == {"images_needed": 9_876_543, "seeds": -1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None, [1.0], {"a": 1}, np.float64("nan")])
def test_values_that_dvc_would_drop_are_refused_by_name(tmp_path, value):
    with pytest.raises(ValueError, match="roc_auc is .*expected a finite number or a string"):
        metrics.write(tmp_path / "m.json", {"accuracy": 0.5, "roc_auc": value})
    assert not (tmp_path / "m.json").exists()


def test_sums_in_another_order_give_the_same_bytes(tmp_path):
    values = np.random.default_rng(0).uniform(size=10_000)
    for name, ordered in (("a", values), ("b", values[::-1])):
        metrics.write(tmp_path / f"{name}.json", {"mean": sum(ordered) / len(ordered)})
        metrics.write_table(tmp_path / f"{name}.csv", pd.DataFrame({"sum": [sum(ordered)]}))
    assert sum(values) != sum(values[::-1])
    for suffix in ("json", "csv"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_table_has_a_line_for_each_row_and_rounded_numbers(tmp_path):
    rows = pd.DataFrame({"step": ["a, b", "c"], "share": [1 / 3, -0.0], "images": [3, 12_345_678]})
    metrics.write_table(tmp_path / "plots/waterfall.csv", rows)
    assert (tmp_path / "plots/waterfall.csv").read_text() == ('step,share,images\n"a, b",0.333333,3\nc,0.0,12345678\n')
    assert rows["share"][0] == 1 / 3  # the caller's rows are left as they are
    assert pd.read_csv(tmp_path / "plots/waterfall.csv")["share"].tolist() == pytest.approx([1 / 3, 0], abs=1e-6)


def test_a_table_without_rows_is_its_heading(tmp_path):
    metrics.write_table(tmp_path / "roc.csv", pd.DataFrame({"x": [], "y": []}, dtype=float))
    assert (tmp_path / "roc.csv").read_text() == "x,y\n"


def test_written_json_has_no_values_outside_the_standard(tmp_path):
    metrics.write(tmp_path / "m.json", {"huge": 1e300, "tiny": 5e-324})

    def refuse(constant):
        raise AssertionError(constant)
    assert json.loads((tmp_path / "m.json").read_text(), parse_constant=refuse)["huge"] == 1e300

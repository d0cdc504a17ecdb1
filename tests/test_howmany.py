import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from versus.report import sample_size as howmany
from versus.evaluation.comparison import components

ROOT = Path(__file__).parents[1]


def found(seeds=10, values=(-1, 0, 1), images=200):
    drawn = np.random.default_rng(0).choice(values, (seeds, images)).astype(float)
    return components(drawn, counts=True)


def needed(one, difference):
    cells = list(howmany.plan(one, difference))[1].columns[1]._cells
    return [int(cell.replace(",", "")) for cell in cells if "no" not in cell]


def test_more_images_for_fewer_points_and_fewer_for_more_seeds():
    few, many = needed(found(), 0.1), needed(found(), 0.05)
    assert many == sorted(many, reverse=True)
    assert few[-1] < many[-1]
    assert "200 images and 10 seeds" in list(howmany.plan(found(), 0.05))[2]


def test_one_seed_says_nothing_of_others():
    _, table, sentence = howmany.plan(found(seeds=1), 0.05)
    assert table.columns[0]._cells == ["1"]
    assert "1 seed, as in this run" in sentence and "raise train.seeds" in sentence


def test_no_difference_is_not_certainty():
    assert min(needed(found(values=(0,)), 0.05)) > 100


def call(folder, *arguments):
    return subprocess.run([sys.executable, "-m", "versus.report.sample_size", *arguments], cwd=folder, text=True,
                          capture_output=True, env={"PYTHONPATH": str(ROOT), "PATH": ""})


def test_command(tmp_path):
    before = call(tmp_path, "0.02")
    assert before.returncode == 1 and "dvc repro" in before.stderr and "Traceback" not in before.stderr
    (tmp_path / "data/predictions").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for framework in ("keras", "torch"):
        own = rng.uniform(0.2, 1, 120)
        classes = ["alien", "predator"] * 30
        rows = pd.DataFrame({"seed": np.repeat([0, 1], 60), "file": [f"{i:03}.jpg" for i in range(60)] * 2,
                             "class": classes * 2, "p_alien": 1 - own, "p_predator": own})
        rows.to_csv(tmp_path / f"data/predictions/{framework}.csv", index=False)
    said = call(tmp_path, "0.02")
    assert said.returncode == 0 and "60 images and 2 seeds" in said.stdout, said.stderr


@pytest.mark.parametrize("difference", ["0", "1", "nan", "2 points"])
def test_wrong_differences_are_refused(tmp_path, difference):
    refused = call(tmp_path, difference)
    assert refused.returncode != 0 and "Traceback" not in refused.stderr
    assert "got" in refused.stderr or "invalid float" in refused.stderr

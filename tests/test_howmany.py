import numpy as np

from versus import howmany
from versus.comparison import components


def test_more_images_for_fewer_points_and_fewer_for_more_seeds():
    noise = np.random.default_rng(0)
    differences = noise.integers(-1, 2, (10, 200)).astype(float)
    found = components(differences, counts=True)
    _, table, sentence = howmany.plan(found, 0.05)
    needed = [int(cell.replace(",", "")) for cell in table.columns[1]._cells if "no" not in cell]
    assert needed == sorted(needed, reverse=True)
    cells = list(howmany.plan(found, 0.1))[1].columns[1]._cells
    fewer = [int(cell.replace(",", "")) for cell in cells if "no" not in cell]
    assert fewer[-1] < needed[-1]
    assert "200 images and 10 seeds" in sentence

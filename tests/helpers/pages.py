"""A made-up run with images, and the report of it."""

import numpy as np
import pandas as pd
from PIL import Image

from tests.helpers import results
from tests.helpers.predictions import NAMES
from tests.helpers.stages import run_stage
from versus.images import splitting, tables

TRAINED = 3  # images of each class, beside those that are predicted


def write(folder, names=NAMES[:2], seeds=4, side=40, explained=True):
    """Write a run of classes `names` whose images have `side` pixels, and its report: the report's text, and its words.

    The words are what the stage prints.
    """
    results.write_run(folder, classes=len(names), names=names, seeds=seeds)
    write_images(folder, names, side)
    stages = ["evaluate", "compare", "parity", *(["explain"] if explained else []), "compare_splits", "gallery"]
    results.run_stages(folder, *stages)
    done = run_stage("report", folder)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return (folder / "reports/index.html").read_text("utf-8"), done.stdout


def write_images(folder, names, side):
    """Write data/split, data/raw.csv and data/split.csv: one group, one leak that is left out, one damaged file."""
    rng = np.random.default_rng(0)
    files = [("validation", f"{names[image % len(names)]}/{image:03}.jpg") for image in range(results.IMAGES)]
    files += [("train", f"{name}/t{number}.jpg") for name in names for number in range(TRAINED)]
    for part, file in files:
        path = folder / "data/split" / part / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side + 9, 3), np.uint8)).save(path)
    rows = [{"file": file, "class": file.split("/")[0], "part": part, "path": f"{part}/{file}", "reason": "drawn",
             "group": ""} for part, file in files]
    rows[0]["group"] = rows[1]["group"] = rows[0]["file"]
    rows.append(rows[0] | {"file": f"{names[0]}/leak.jpg", "part": "", "path": "",
                           "reason": f"{splitting.LEAK}{rows[0]['file']} in validation"})
    tables.save(pd.DataFrame(rows, columns=splitting.COLUMNS), folder / "data/split.csv")
    raw = [dict.fromkeys(tables.COLUMNS, "") | {"file": row["file"], "class": row["class"], "width": side + 9,
                                                    "height": side} for row in rows]
    raw.append(raw[0] | {"file": f"{names[1]}/damaged.jpg", "problem": "cannot be decoded: <script>alert(1)</script>"})
    tables.save(pd.DataFrame(raw, columns=tables.COLUMNS), folder / "data/raw.csv")

"""A small project of DVC's whose classifiers are planted: random forests of digits, as good as plant.json says.

Run as a script it is that project's only stage: it trains, and writes predictions, scores and a plot.
"""

import json
import sys
from pathlib import Path

SEEDS, TREES = 3, 20
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
# the changes: in one of the two classifiers, or in both
CHANGES = {"worse": {"keras": {"depth": 2}}, "noise": {"keras": {"draw": 1}, "torch": {"draw": 2}},
           "better": {"torch": {"depth": 12}}, "fewer seeds": {"all": {"seeds": 2}},
           "other images": {"keras": {"images": 400}}}


def main(name):
    import numpy as np
    import pandas as pd
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    plant = json.loads(Path("plant.json").read_text())
    settings = {"depth": 6, "draw": 0, "seeds": SEEDS, "images": 450, "tint": 0} | plant["all"] | plant.get(name, {})
    images, digits = load_digits(return_X_y=True)
    train, test = train_test_split(np.arange(len(digits)), test_size=450, stratify=digits, random_state=0)
    test, names = test[:settings["images"]], plant["names"]
    parts = []
    for seed in range(settings["seeds"]):
        state = 1000 * settings["draw"] + seed
        forest = RandomForestClassifier(TREES, max_depth=settings["depth"], random_state=state, n_jobs=1)
        probabilities = forest.fit(images[train], digits[train]).predict_proba(images[test])
        parts.append(pd.DataFrame({"seed": seed, "file": [f"{names[digits[i]]}/{i}.png" for i in test],
                                   "class": [names[digits[i]] for i in test]}
                                  | {f"p_{each}": probabilities[:, k] for k, each in enumerate(names)}))
    rows = pd.concat(parts)
    right = rows[[f"p_{each}" for each in names]].to_numpy().argmax(axis=1) == [names.index(each)
                                                                              for each in rows["class"]]
    for folder in ("data/predictions", "metrics"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    rows.to_csv(f"data/predictions/{name}.csv", index=False)
    Path(f"metrics/{name}.json").write_text(json.dumps({"accuracy": round(float(right.mean()), 6)}))
    rows.assign(accuracy=right).groupby("seed", as_index=False)["accuracy"].mean().to_csv(f"metrics/{name}.csv",
                                                                                          index=False)
    if name == "keras":
        digit = np.clip(images[test[0]].reshape(8, 8) * 15 + settings["tint"], 0, 255).astype(np.uint8)
        Image.fromarray(digit).resize((160, 160)).save("metrics/digit.png")


def configuration():
    """The project's dvc.yaml."""
    return {
        "stages": {f"predict_{name}": {
            "cmd": f"python plant.py {name}", "deps": ["plant.py", "plant.json"],
            "outs": [f"data/predictions/{name}.csv",
                     *([{"metrics/digit.png": {"push": False}}] if name == "keras" else []),
                     *({f"metrics/{name}.{kind}": {"cache": False}} for kind in ("json", "csv"))]}
            for name in ("keras", "torch")},
        "params": ["params.yaml"],
        "metrics": ["metrics/keras.json", "metrics/torch.json"],
        "plots": [{"accuracy of each seed": {"x": "seed", "y": {"metrics/keras.csv": "accuracy",
                                                                "metrics/torch.csv": "accuracy"}}},
                  "metrics/digit.png"],
    }


def plant(folder):
    """Make the project in an empty folder, with one commit on the branch main: its `Clone`."""
    import yaml

    from tests.helpers.paths import ROOT
    from tests.helpers.pipeline import Clone
    clone = Clone(folder)
    clone.environment = clone.environment | {"PYTHONPATH": str(ROOT)}
    clone.output("git", "init", "--quiet", "--initial-branch=main")
    clone.output("dvc", "init", "--quiet")
    clone.output("dvc", "config", "core.analytics", "false")
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    clone.set({"compare.bootstrap": 300})
    (folder / "dvc.yaml").write_text(yaml.safe_dump(configuration(), sort_keys=False))
    (folder / "plant.py").write_text(Path(__file__).read_text())
    (folder / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    change(clone, {})
    return clone


def change(clone, what, names=DIGITS):
    """Change the classifiers, run the pipeline and commit."""
    (clone.folder / "plant.json").write_text(json.dumps({"names": names, "all": {}} | what))
    clone.repro()
    clone.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])

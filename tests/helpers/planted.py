"""A small project of DVC's whose classifiers are planted: random forests of digits, as good as plant.json says.

Run as a script it is that project's only stage: it trains, and writes predictions, scores and a plot.
"""

import functools
import json
from pathlib import Path

SEEDS, TREES = 3, 20
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
# names that Markdown, HTML and CSV could misread
ODD = ["a|b", "`c`", "<b>d</b>", "*e*_f_", "@octocat", "#1", "[g](h)", "i, \"j\"", "k\\|l", "m" * 150]
# branches with a change of one classifier or of both
CHANGES = {"worse": {"keras": {"depth": 2}, "all": {"digit": 1}},
           "noise": {"keras": {"draw": 1}, "torch": {"draw": 2}}, "better": {"torch": {"depth": 12}},
           "fewer-seeds": {"all": {"seeds": 2}}, "other-images": {"keras": {"images": 400}},
           "odd": {"names": ODD}, "odd-worse": {"names": ODD, "torch": {"depth": 2}}}


def main():
    import numpy as np
    import pandas as pd
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    plant = json.loads(Path("plant.json").read_text())
    images, digits = load_digits(return_X_y=True)
    train, test = train_test_split(np.arange(len(digits)), test_size=450, stratify=digits, random_state=0)
    names = plant["names"]
    for folder in ("data/predictions", "metrics"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name in ("keras", "torch"):
        settings = {"depth": 6, "draw": 0, "seeds": SEEDS, "images": 450} | plant["all"] | plant.get(name, {})
        some, parts = test[:settings["images"]], []
        for seed in range(settings["seeds"]):
            forest = RandomForestClassifier(TREES, max_depth=settings["depth"], n_jobs=1,
                                            random_state=1000 * settings["draw"] + seed)
            probabilities = forest.fit(images[train], digits[train]).predict_proba(images[some])
            parts.append(pd.DataFrame({"seed": seed, "file": [f"{names[digits[i]]}/{i}.png" for i in some],
                                       "class": [names[digits[i]] for i in some]}
                                      | {f"p_{each}": probabilities[:, k] for k, each in enumerate(names)}
                                      | {"accuracy": probabilities.argmax(axis=1) == digits[some]}))
        rows = pd.concat(parts)
        rows.drop(columns="accuracy").to_csv(f"data/predictions/{name}.csv", index=False)
        rows.groupby("seed", as_index=False)["accuracy"].mean().to_csv(f"metrics/{name}.csv", index=False)
        scores = {"accuracy": rows["accuracy"].mean()} | {f"recall_{each}": of_class["accuracy"].mean()
                                                          for each, of_class in rows.groupby("class")}
        Path(f"metrics/{name}.json").write_text(json.dumps({key: round(value, 6) for key, value in scores.items()}))
    digit = images[test[plant["all"].get("digit", 0)]].reshape(8, 8) * 15
    Image.fromarray(digit.astype(np.uint8)).resize((160, 160)).save("metrics/digit.png")


def configuration():
    """The project's dvc.yaml: its predictions and an image in the cache, its metrics and the data of a plot in git."""
    outs = ["data/predictions/keras.csv", "data/predictions/torch.csv", {"metrics/digit.png": {"push": False}}]
    outs += [{f"metrics/{name}.{kind}": {"cache": False}} for name in ("keras", "torch") for kind in ("json", "csv")]
    stage = {"cmd": "python plant.py", "deps": ["plant.py", "plant.json"], "outs": outs}
    lines = {"cmd": "wc -l data/predictions/keras.csv > metrics/lines.txt", "deps": ["data/predictions/keras.csv"],
             "params": ["compare.margin"], "outs": [{"metrics/lines.txt": {"cache": False}}]}
    curve = {"x": "seed", "y": {"metrics/keras.csv": "accuracy", "metrics/torch.csv": "accuracy"}}
    return {"stages": {"predict": stage, "lines": lines}, "params": ["params.yaml"],
            "metrics": ["metrics/keras.json", "metrics/torch.json"],
            "plots": [{"accuracy of each seed": curve}, "metrics/digit.png"]}


def plant(folder):
    """Make the project in an empty folder, with one commit on the branch main: its `Clone`.

    It has this repository's scripts for the CI, and a Makefile that installs nothing.
    """
    import yaml

    from tests.helpers.paths import ROOT
    from tests.helpers.pipeline import Clone
    clone = Clone(folder)
    clone.environment = clone.environment | {"PYTHONPATH": str(ROOT)}
    clone.output("git", "init", "--quiet", "--initial-branch=main")
    for name in ("params.yaml", ".gitignore", ".dvc/config", ".dvc/.gitignore",
                 *(f".ci/{script}" for script in ("before", "push", "reproduce"))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((ROOT / name).read_text())
    clone.set({"compare.bootstrap": 300})
    (folder / "dvc.yaml").write_text(yaml.safe_dump(configuration(), sort_keys=False))
    (folder / "Makefile").write_text(".venv/installed:\n\t@true\n")
    (folder / "plant.py").write_text(Path(__file__).read_text())
    change(clone, {})
    return clone


def finished(factory):
    """Return the project with a branch for each of CHANGES; all tests of a process share it."""
    return plant_once(factory.getbasetemp() / "planted")


@functools.cache
def plant_once(folder):
    """Plant the project with its branches: CHANGES; `stale`, which has another margin; `current`, run with that."""
    folder.mkdir()
    clone = plant(folder)
    for name, what in CHANGES.items():
        clone.output("git", "switch", "--quiet", "--create", name, "main")
        change(clone, what)
    for name in ("stale", "current"):
        clone.output("git", "switch", "--quiet", "--create", name, "main")
        clone.set({"compare.margin": 0.03})
        if name == "current":
            clone.repro()
        clone.commit()
    return clone


def change(clone, what):
    """Change the classifiers, run the pipeline and commit."""
    (clone.folder / "plant.json").write_text(json.dumps({"names": DIGITS, "all": {}} | what))
    clone.repro()
    clone.commit()


if __name__ == "__main__":
    main()

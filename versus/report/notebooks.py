"""The seven steps as two notebooks, made of the sibling modules' own source: `make docs` writes notebooks/*.ipynb.

A cell with a module's source is followed by one that uses it. All else comes from this package. The notebooks are
written without results, so that the same source gives the same bytes.
"""

import ast
from pathlib import Path

from versus.frameworks import COMPETITORS
from versus.report.code import FRAMEWORKS
from versus.report.steps import STEPS

FOLDER = Path("notebooks")
NAMES = tuple(dict.fromkeys(each.framework for each in COMPETITORS.values()))
ROOT = '''import os
import sys
from pathlib import Path

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "params.yaml").is_file())
os.chdir(root)
sys.path.insert(0, str(root))'''
DATA = '''from versus import params
from versus.frameworks import competitor
from versus.images import dataset

settings = params.load()
conventions = competitor(name).of_era(settings.conventions.era).resolve(settings.conventions)
train, validation = (dataset.read("data/split", part) for part in ("train", "validation"))
print(f"{len(train.files)} training and {len(validation.files)} validation images of {', '.join(train.classes)}")
conventions'''
START = "start(settings.compute, settings.train.precision)"
PIXELS = '''import matplotlib.pyplot as plt
from versus.recipe import draws

view = draws.views(settings.extract, len(train.files))[0]
batches = draws.batches(settings.extract, len(train.files))[0]
size = settings.model.image_size
augmented = ImageBatches(train.files, batches, size, conventions.pixels, view, conventions.augment)
figure, axes = plt.subplots(1, 6, figsize=(12, 2))
for axis, image in zip(axes, received(augmented)):
    axis.imshow(image.astype("uint8"))
    axis.axis("off")'''
BACKBONE = '''from versus.frameworks import extraction

pretrained = weights.read_pretrained("models/backbone.safetensors")
backbones = extraction.build(sys.modules[__name__], settings, pretrained, conventions.batch_norm)'''
HEAD = '''width = ARCHITECTURES[settings.model.backbone].width
widths = [width, settings.model.hidden, len(train.classes)]
trainer = Trainer(widths, settings.train.learning_rate, conventions.adam)
trainer.head'''
TRAIN = '''import pandas as pd
from versus.frameworks.training import fit_seeds

features = extraction.extract(sys.modules[__name__], backbones, train.files, {"validation": validation.files}, settings,
                              conventions, "features")
trained = list(fit_seeds(trainer, settings, conventions, features, train.labels, "heads",
                         part_labels=validation.labels))
curves = [pd.DataFrame(one.curves) for one in trained]
(sum(curves) / len(curves)).rename_axis("epoch")'''
SAVE = '''from tempfile import mkdtemp

saved = Path(mkdtemp())
save(assemble(settings.model, pretrained, features.statistics_after(settings.train.epochs), [trained[0].weights],
              widths), saved)
classifier, _ = load(saved)
sorted(path.name for path in saved.iterdir())'''
PREDICT = '''from tqdm import tqdm

plain = ImageBatches(validation.files, draws.in_order(len(validation.files), settings.extract.batch), size,
                     conventions.pixels)
with tqdm(total=len(validation.files), unit="image") as bar:
    probabilities = apply(classifier, plain, False, bar)
print(f"accuracy {(probabilities.argmax(axis=1) == validation.labels).mean():.3f}")
pd.DataFrame(probabilities, index=validation.names, columns=validation.classes).round(3).head()'''


# of each of `steps.STEPS`: a sibling module, "" for none, and the cell that uses it
CELLS: list[list[tuple[str, str]]] = [
    [("", ROOT), ("", DATA)],
    [("runtime.py", START)],
    [("features.py", PIXELS)],
    [("networks.py", ""), ("backbone.py", BACKBONE), ("head.py", HEAD)],
    [("", TRAIN)],
    [("classifier.py", SAVE)],
    [("", PREDICT)],
]


def notebook(name: str) -> str:
    """Write the notebook of a framework, JSON in format 4.5."""
    import nbformat
    from nbformat import v4

    title, other = COMPETITORS[name].title, next(each for each in NAMES if each != name)
    cells = [v4.new_markdown_cell(
        f"# The seven steps in {title}\n\nThe same in {COMPETITORS[other].title}: [{other}.ipynb]({other}.ipynb). "
        f"Generated from `versus/frameworks/{name}/`; run it after `dvc repro`, whose images, weights and parameters "
        "it takes.")]
    cells.append(v4.new_code_cell(f'name = "{name}"'))
    for number, ((step, text), own) in enumerate(zip(STEPS, CELLS, strict=True)):
        cells.append(v4.new_markdown_cell(f"## {number}. {step}\n\n{text}"))
        for module, use in own:
            if module:
                cells += _module(name, module)
            if use:
                cells.append(v4.new_code_cell(use))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # drawn at random otherwise
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return nbformat.writes(v4.new_notebook(cells=cells, metadata=kernel)) + "\n"


def _module(name: str, module: str) -> list:
    """Make cells of a module: its docstring, and its source without what only type checkers need."""
    from nbformat import v4

    text = (FRAMEWORKS / name / module).read_text(encoding="utf-8")
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree)
    lines = text.splitlines()
    for node in reversed(tree.body):
        if "TYPE_CHECKING" in ast.unparse(node) or node is tree.body[0]:
            del lines[node.lineno - 1:node.end_lineno]
    return [v4.new_markdown_cell(f"`versus/frameworks/{name}/{module}`: {docstring}"),
            v4.new_code_cell("\n".join(lines).strip())]


def main() -> None:
    """Write both notebooks."""
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.ipynb").write_text(notebook(name), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The commands of `python -m versus` that use the saved classifiers: predict, evaluate, export, page, card."""

import argparse
from pathlib import Path


def add_classifiers(commands: "argparse._SubParsersAction") -> None:
    """Add the commands that use the saved classifiers."""
    command = commands.add_parser(
        "predict", help="classify images by the saved classifiers, both frameworks side by side",
        description="Classify image files, and those in folders: the most probable classes and their probabilities. "
        "Only the folder `models` of a run is needed. Files that cannot be used are listed with the reason, and the "
        "exit code is 1 then.")
    command.add_argument("images", nargs="+", metavar="IMAGE|FOLDER", help="image files, or folders with some")
    command.add_argument("--top", type=count, default=1, metavar="N", help="show the N most probable classes")
    command.add_argument("--csv", default="", metavar="FILE", help="write CSV, a row for each file (-: print it)")
    command.add_argument("--json", default="", metavar="FILE",
                         help="write JSON, an object a line for each file (-: print it)")
    command.add_argument("--plot", default="", metavar="FILE.png", help="draw the first 48 images, with what is said "
                         "of them")
    command.set_defaults(command=predict)
    add_models(command)

    command = commands.add_parser(
        "evaluate", help="score the saved classifiers on new labelled images",
        description="Score the saved classifiers on a folder of images as <class>/*, and compare the two. Only the "
        "folder `models` of a run is needed. Near-duplicates count as one image.")
    command.add_argument("folder", type=Path, metavar="FOLDER", help="images as <class>/*, at any depth")
    command.add_argument("--predictions", type=Path, metavar="FOLDER",
                         help="write the predictions there, a CSV file each, as `compare` takes them")
    command.set_defaults(command=evaluate)
    add_models(command)

    command = commands.add_parser(
        "export", help="write the saved classifiers as ONNX files, and check these",
        description="Write models/<framework>.onnx: images of any size, (n, height, width, 3) uint8, RGB, to "
        "probabilities; the resize of training is inside, decoding a file is not. Each is compared with its original "
        "on real images. Needs the packages of the extra `onnx`.")
    command.add_argument("--output", type=Path, metavar="FOLDER", help="where to write (default: the folder models)")
    command.set_defaults(command=export)
    add_images_to_check(command)
    add_models(command)

    command = commands.add_parser(
        "page", help="write a web page that applies the saved classifiers to dropped images, in the browser",
        description="Write a static page: both classifiers as ONNX files, checked as by `export`, and onnxruntime-web, "
        "which npm brings. Nothing that is dropped there leaves the browser. Needs the packages of the extra `onnx`.")
    command.add_argument("--output", type=Path, default=Path("reports/try"), metavar="FOLDER",
                         help="where to write (default: reports/try)")
    command.add_argument("--package", type=Path, metavar="FILE.tgz",
                         help="what `npm pack onnxruntime-web` wrote (default: let npm do that now)")
    command.set_defaults(command=page)
    add_images_to_check(command)
    add_models(command)

    command = commands.add_parser(
        "card", help="write a model card for each saved classifier of the last run",
        description="Write <framework>/README.md: data, recipe, scores with intervals, known failures, licences, and "
        "how to load the classifier with its framework alone.")
    command.add_argument("--output", type=Path, default=Path("reports/cards"), metavar="FOLDER",
                         help="where to write (default: reports/cards)")
    command.set_defaults(command=card)


def add_models(command: argparse.ArgumentParser) -> None:
    """Add what all commands that use the saved classifiers have in common."""
    command.add_argument("--framework", type=framework, help="use one alone, whose folder in models has this name "
                         "(default: all that are there)")
    command.add_argument("--models", type=Path, default=Path("models"), metavar="FOLDER",
                         help="the folder models of a run (default: models)")


def add_images_to_check(command: argparse.ArgumentParser) -> None:
    """Add what the commands that write ONNX files have in common."""
    command.add_argument("--images", type=Path, default=Path("data/split"), metavar="FOLDER",
                         help="images on which the ONNX files are compared with the originals (default: data/split)")


def framework(text):
    """Read --framework."""
    from versus.params import FRAMEWORKS
    if text not in FRAMEWORKS:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected {' or '.join(FRAMEWORKS)}")
    return text


def count(text):
    """Read --top."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a number of classes, 1 or more")
    return int(text)


# what a command needs is imported when it runs, so that --help answers at once

def predict(options: argparse.Namespace) -> None:
    from versus.report import prediction
    prediction.predict(options.images, options.models, options.framework, options.top,
                       {"csv": options.csv, "json": options.json, "plot": options.plot})


def evaluate(options: argparse.Namespace) -> None:
    from versus import params
    from versus.report import labelled
    labelled.evaluate(options.folder, options.models, options.framework, params.load_compare(), options.predictions)


def export(options: argparse.Namespace) -> None:
    from versus.report import exporting
    exporting.export(options.models, options.framework, options.images, options.output or options.models)


def page(options: argparse.Namespace) -> None:
    from versus.report import try_page
    try_page.write_page(options.models, options.framework, options.images, options.output, options.package)


def card(options: argparse.Namespace) -> None:
    from versus.report import cards
    print("\n".join(map(str, cards.write_cards(options.output))))

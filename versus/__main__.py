"""The command-line program: python -m versus COMMAND."""

import argparse
import os
import sys
import traceback
from pathlib import Path

from versus.command import run
from versus.report.commands import add_classifiers


def main(*arguments: str) -> None:
    options = parser().parse_args(arguments or None)
    try:
        options.command(options)
    except BrokenPipeError:  # whoever reads the output has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit("interrupted")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m versus", description="Compare image classifiers, and plan how many "
                                  "images and training runs a comparison needs.",
                                  epilog="`python -m versus COMMAND --help` shows what a command takes.")
    top.set_defaults(command=lambda options: top.print_help())
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    for add in (add_statistics, add_run, add_classifiers, add_revisions, add_reference):
        add(commands)
    return top


def add_statistics(commands: "argparse._SubParsersAction") -> None:
    """Add `compare` and `sample-size`, for the predictions of any two classifiers."""
    command = commands.add_parser(
        "compare", help="compare the predictions of any two classifiers for the same images",
        description="Compare any two classifiers from their predictions for the same labelled images: scores, paired "
        "difference with its 95 % interval and p-value, verdict, and the smallest difference that could be seen.",
        epilog="Each file is CSV with one row for each seed and image, and the columns seed (which training run; 0 if "
        "there is one), file (the image's name), class (its true class) and p_<class> for each class (the predicted "
        "probability; they sum to 1). A column unit may name what images have in common, such as a patient or a "
        "video: they count as one. Seeds and files must be the same in both; rows and columns can be in any order, and "
        "other columns are ignored.")
    command.add_argument("one", type=Path, metavar="A.csv", help="predictions of one classifier")
    command.add_argument("other", type=Path, metavar="B.csv",
                         help="predictions of the other; differences are B minus A")
    command.add_argument("--margin", type=margin, metavar="M",
                         help="accuracies closer than this count as equivalent, as a share of the images: 0.02 is 2 "
                         "points (default: compare.margin of params.yaml, or 0.02)")
    command.add_argument("--titles", nargs=2, metavar=("A", "B"),
                         help="names shown for the two (default: the file names)")
    command.set_defaults(command=compare)

    command = commands.add_parser(
        "sample-size", help="how many images and seeds show a difference of so many points",
        description="Say how many validation images and seeds show a given difference in accuracy with a probability "
        "of 80 %, from the variation in predictions that exist.")
    command.add_argument("difference", type=float, metavar="DIFFERENCE",
                         help="of the accuracies, as a share of the images: 0.02 is 2 points")
    command.add_argument("--predictions", nargs=2, type=Path, metavar=("A.csv", "B.csv"),
                         default=[Path("data/predictions/keras.csv"), Path("data/predictions/torch.csv")],
                         help="files as `compare` takes them (default: those of the current run)")
    command.set_defaults(command=sample_size)


def add_run(commands: "argparse._SubParsersAction") -> None:
    """Add `use` and `show`: the images of this project's run, and its results."""
    command = commands.add_parser(
        "use", help="compare the frameworks on a folder of your own images",
        description="Say what a folder of images holds (classes, parts, counts, what is left out and why), and set it "
        "in params.yaml. Nothing is set if it cannot be used; then all reasons are said.")
    command.add_argument("folder", metavar="FOLDER", help="images as <class>/* or {train,validation,test}/<class>/*, "
                         "or in any order with a table of labels")
    command.add_argument("--labels", default="", metavar="TABLE.csv",
                         help="CSV file in the folder with the class of each image (default: the folders are the "
                         "classes)")
    command.set_defaults(command=use)

    command = commands.add_parser(
        "show", help="print the tables of the last run once more",
        description="Print the tables and sentences of the last run, from the files in metrics/details.")
    command.set_defaults(command=show)


def add_revisions(commands: "argparse._SubParsersAction") -> None:
    """Add `gate` and `report`, which look at two revisions."""
    command = commands.add_parser(
        "gate", help="is a classifier of this revision worse than that of another one?",
        description="Compare the workspace's predictions with those of another revision, for each framework, by the "
        "paired test that `compare` uses. Exit code 1: one is worse, by more than compare.margin of params.yaml (the "
        "whole 95 %% interval of the difference lies below -margin). 0: none is shown to be. 2: cannot tell, since the "
        "predictions are of other images or seeds, are not in reach (`dvc pull`), or are not of this code (`dvc "
        "repro`).")
    command.add_argument("revision", nargs="?", default="main", metavar="REV",
                         help="branch, tag or commit (default: main)")
    command.set_defaults(command=gate)

    command = commands.add_parser(
        "report", help="what changed since another revision, as Markdown with images: report.md",
        description="Write report.md, and the images beside it in report/: gate, verdict before and after, changed "
        "parameters and metrics, images that are no longer right or now are, plots of both revisions.")
    command.add_argument("revision", nargs="?", default="main", metavar="REV",
                         help="branch, tag or commit (default: main)")
    command.add_argument("--images", default="", metavar="URL", help="address of the folder that will hold report/, "
                         "where the images cannot lie beside the text (default: relative addresses)")
    command.set_defaults(command=report)


def add_reference(commands: "argparse._SubParsersAction") -> None:
    """Add `reference write` and `reference check`."""
    command = commands.add_parser(
        "reference", help="record a finished run, and compare with it after an upgrade of the libraries",
        description="References are runs in references/NAME.json, committed with their versions, processor, hashes and "
        "the accuracy of each seed. After an upgrade, `dvc repro --force` and `check` say what it did.")
    verbs = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verb = verbs.add_parser("write", help="record the finished run in this folder")
    verb.add_argument("name", metavar="NAME", help="of the reference: references/NAME.json")
    verb.set_defaults(command=write_reference)
    verb = verbs.add_parser(
        "check", help="compare the finished run in this folder with a reference",
        description="Say whether the run gives the same bytes as a reference, the same up to rounding, or converges "
        "the same (equivalent within compare.margin, paired by image and seed): exit code 0. If it converges "
        "differently: 1. If that cannot be told, since parameters or images are others or too few: 2.")
    verb.add_argument("name", nargs="?", metavar="NAME", help="of the reference (default: the one with this run's "
                      "parameters and images)")
    verb.set_defaults(command=check_reference)


def margin(text):
    """Read --margin; argparse shows the message of an ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected a share of the images between 0 and 1: 0.02 is 2 "
                                         "points")
    return value


# what a command needs is imported when it runs, so that --help answers at once

def compare(options: argparse.Namespace) -> None:
    from versus import params
    from versus.evaluation import comparison, scores
    from versus.report import console, sentences
    titles = options.titles or titles_of(options.one, options.other)
    one, other = read_pair(options.one, options.other, titles)
    settings = params.load_compare(options.margin)
    console.show_comparison(scores.summary(one, settings), scores.summary(other, settings),
                            comparison.compare(one, other, settings), titles, settings.margin,
                            sentences.SCOPE_OF_FILES)


def show(options: argparse.Namespace) -> None:
    from versus.report import show as showing
    showing.show()


def use(options: argparse.Namespace) -> None:
    from versus.images import use as using
    print("\n".join(using.use(options.folder, options.labels)))


def gate(options: argparse.Namespace) -> None:
    """End with 1 only where a classifier is worse: whatever else goes wrong ends with 2."""
    try:
        from versus import params
        from versus.report import changes
        judged, notes = changes.find(options.revision, params.load_compare())
        texts = [*notes, *(changes.sentence(change, options.revision) for change in judged),
                 changes.verdict(judged, options.revision)]
    except ValueError as error:
        print(f"ERROR: cannot tell: {error}", file=sys.stderr)
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        sys.exit(2)
    print("\n".join(texts))
    sys.exit(1 if any(change.worse for change in judged) else 2 if any(change.problem for change in judged) else 0)


def report(options: argparse.Namespace) -> None:
    from versus import params
    from versus.report import pull_request
    print(pull_request.write(options.revision, params.load_compare(), options.images))


def sample_size(options: argparse.Namespace) -> None:
    from versus.evaluation import sample_size as planning
    from versus.report import console
    first, second = options.predictions
    one, other = read_pair(first, second, titles_of(first, second))
    console.show_sample_size(planning.plan(one, other, options.difference))


def write_reference(options: argparse.Namespace) -> None:
    from versus.artifacts import references
    from versus.report import upgrade as wording
    reference, _ = references.of_run(options.name)
    print(f"{references.write(reference)}: {wording.written(reference)}")


def check_reference(options: argparse.Namespace) -> None:
    from versus import params
    from versus.artifacts import references
    from versus.evaluation import upgrade
    from versus.report import upgrade as wording
    settings = params.load_compare()
    try:
        now, predictions = references.of_run("now")
        names = [options.name] if options.name else references.names_of_all()
        results = {name: upgrade.compare(references.read(name), now, predictions, settings) for name in names}
    except references.ReferencesError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        sys.exit(wording.EXIT_CODES[upgrade.UNCLEAR])
    if not names:
        print("Cannot tell: there are no references yet. `python -m versus reference write NAME` makes one")
    fitting = [name for name, result in results.items() if not result.obstacles]
    for name in fitting or names:
        print("\n".join(wording.upgrade(results[name], references.read(name), now, settings.margin)))
    sys.exit(max((wording.EXIT_CODES[results[name].outcome] for name in fitting), default=2))


def read_pair(one, other, titles):
    """Read two files of predictions and pair them; what is wrong with either is said at once."""
    from versus.artifacts import predictions, predictions_csv
    read, problems = {}, []
    for path in dict.fromkeys((one, other)):
        try:
            read[path] = predictions_csv.read(path)
        except predictions.PredictionsError as error:
            problems.append(str(error))
    if problems:
        raise predictions.PredictionsError("\n".join(problems))
    return predictions.pair(read[one], read[other], titles)


def titles_of(one, other):
    """Name two files so that they can be told apart: by their stems, or else by their paths."""
    return (one.stem, other.stem) if one.stem != other.stem else (str(one), str(other))


if __name__ == "__main__":
    run(main)

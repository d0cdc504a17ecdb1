"""The results of a run, printed from the files in metrics/details: by the stages that write them, and by `show`."""

from pathlib import Path
from typing import Any

from versus.artifacts import metrics
from versus.frameworks import competitor
from versus.report import console, sentences
from versus.report.sentences import Pair

DETAILS = Path("metrics/details")


class ResultsError(ValueError):
    """Files of a run that are missing."""


def show_comparison() -> None:
    """Print scores, differences and verdict."""
    result, side = read("compare"), read("split")["median_side"]
    one, other = competitors(result)
    scores, titles = (read(one.name), read(other.name)), (one.title, other.title)
    console.show_comparison(*scores, result, titles, result["margin"], sentences.SCOPE_OF_RUN)
    console.show_notes([sentences.ensemble(*scores, titles), sentences.era(result["era"]),
                        sentences.enlargement(side, result["image_size"])])


def show_splits() -> None:
    """Print what other splits would change."""
    result = read("splits")
    if result["splits"] == 1:
        print("Only this split: compare.splits=5 repeats the comparison on others.")
        return
    one, other = competitors(result)
    console.show_splits(result, (one.title, other.title))


def show_parity() -> None:
    """Print how far the competitors are apart, step by step."""
    measured = read("parity")
    one, other = competitors(measured)
    console.show_parity(measured, (one.title, other.title))


def show_explanation() -> None:
    """Print the share of each convention."""
    about = read("explain")
    one, other = (each.of_era(about["era"]) for each in competitors(about))
    console.show_explanation(metrics.read_table(_existing(DETAILS / "explain.csv")), about, about["completeness"],
                             (one, other))


def read(name: str) -> dict[str, Any]:
    """Read one of the files of details by its stem; raise ResultsError, with its path, if there is none."""
    return metrics.read(_existing(DETAILS / f"{name}.json"))


def competitors(result: dict) -> Pair:
    """Return the two that a result is of."""
    return competitor(result["one"]), competitor(result["other"])


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ResultsError(path.as_posix())
    return path

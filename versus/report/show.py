"""All that the stages of the last run printed, once more: python -m versus show."""

from versus.images import splitting
from versus.report import results
from versus.report.results import ResultsError


def show_split() -> None:
    """Print how the images were split."""
    print(splitting.summary(results.read("split")))


SECTIONS = (show_split, results.show_comparison, results.show_parity, results.show_explanation, results.show_splits)


def show() -> None:
    """Print what the files of the last run say; raise ResultsError if some are missing."""
    missing = []
    for number, section in enumerate(SECTIONS):
        try:
            section()
            print("\n" if number < len(SECTIONS) - 1 else "", end="")
        except ResultsError as error:
            missing.append(str(error))
    if missing:
        raise ResultsError(f"got no {' and no '.join(dict.fromkeys(missing))}; expected the results of a run: run "
                           "`dvc repro`")

"""What changed between another revision and this one, and whether a classifier became worse: findings and words."""

from dataclasses import dataclass

from versus import params
from versus.artifacts import predictions_csv, predictions_npy, revisions
from versus.artifacts.predictions import Predictions, pair
from versus.evaluation import gate
from versus.frameworks import COMPETITORS, Competitor
from versus.report import sentences
from versus.report.numbers import interval, plural, signed

PAIR = tuple(COMPETITORS.values())[:2]  # those of the pipeline; the others are of another era
PATHS = {each.name: f"data/predictions/{each.name}.csv" for each in PAIR}
FILES = {*PATHS.values(), *(predictions_npy.beside(path).as_posix() for path in PATHS.values())}


@dataclass(frozen=True)
class Change:
    """What became of one competitor: predictions of both revisions and the judgement, or the problem with them."""

    competitor: Competitor
    before: Predictions | None = None
    now: Predictions | None = None
    result: dict | None = None  # of `gate.judge`
    problem: str = ""

    @property
    def worse(self) -> bool:
        return self.result is not None and self.result["outcome"] == gate.WORSE


def find(revision: str, settings: params.Compare) -> tuple[list[Change], list[str]]:
    """Judge the predictions of the workspace against those of `revision`: a Change for each competitor, and notes.

    Raises RevisionError for an unknown revision, and where the workspace's predictions are not of its code and its
    parameters. Predictions that are not those of dvc.lock are compared as they are, and a note says so.
    """
    revisions.commit_of(revision)
    stages = revisions.changed(list(PATHS.values()))
    if stale := {stage: what for stage, files in stages.items()
                 if (what := [file for file in files if file not in FILES])}:
        listed = "; ".join(f"{stage} ({', '.join(what[:5])})" for stage, what in list(stale.items())[:5])
        raise revisions.RevisionError("the predictions are not those of this code and these parameters: what changed "
                                      f"since dvc.lock was written is of {plural(len(stale), 'stage')}: "
                                      f"{listed}; run `dvc repro` first")
    notes = [f"Note: {file} is compared as it is here; it is not the file that dvc.lock names."
             for files in stages.values() for file in files]
    return [_change(each, revision, settings) for each in PAIR], notes


def _change(competitor: Competitor, revision: str, settings: params.Compare) -> Change:
    path = PATHS[competitor.name]
    try:
        before, now = read_predictions(path, revision, f"{revision}:{path}"), read_predictions(path)
        before, now = pair(before, now, (revision, "this revision"),
                           "compare revisions of the same images, classes and train.seeds")
        return Change(competitor, before, now, gate.judge(before, now, settings))
    except ValueError as error:
        return Change(competitor, problem=str(error))


def read_predictions(path: str, revision: str | None = revisions.WORKSPACE, title: str = "") -> Predictions:
    """Read a file of predictions of a revision; errors name it `title`, or else `path`."""
    with revisions.open_file(path, revision) as file:
        return predictions_csv.parse(file, title or path, lambda: revisions.open_file(
            predictions_npy.beside(path).as_posix(), revision))


def sentence(change: Change, revision: str) -> str:
    """Say whether a competitor became worse; `revision` is named as the caller likes."""
    title, result = change.competitor.title, change.result
    if result is None:
        return f"{title}: cannot tell. {change.problem}"
    if result["outcome"] == gate.SAME:
        return f"{title}: not worse. Its predictions are those of {revision}."
    margin = f"the margin of {result['margin']:g}"
    noise = result["accuracy_low"] <= 0 <= result["accuracy_high"]
    finding = {
        gate.WORSE: f"worse than at {revision}, by more than {margin}.",
        gate.LOWER: f"less accurate than at {revision}; that the loss is more than {margin} is not shown.",
        gate.NOT_WORSE: (f"not worse. The difference is noise, and a loss of {margin} or more is excluded." if noise
                         else f"less accurate than at {revision}, but by less than {margin}."),
        gate.UNDECIDED: ("not shown to be worse. The difference is noise; these images and seeds show a true one of "
                         f"{result['smallest_difference']:.3f} or more with a probability of 80 %."),
        gate.HIGHER: f"better than at {revision}.",
    }[result["outcome"]]
    noun = sentences.image_noun({"part": change.now.part if change.now else ""})
    return (f"{title}: {finding} Accuracy {result['now']:.3f}, before {result['before']:.3f}: "
            f"{signed(result['accuracy_difference'])} ({interval(result['accuracy_low'], result['accuracy_high'])}; "
            f"{sentences.p_value(result)}), {sentences.images(result['images'], result['units'], noun)}, "
            f"{plural(result['seeds'], 'seed')}.")


def verdict(changes: list[Change], revision: str) -> str:
    """Say what the gate says of all competitors."""
    if worse := [change.competitor.title for change in changes if change.worse]:
        return f"Gate: failed. Worse than at {revision}: {' and '.join(worse)}."
    if any(change.problem for change in changes):
        return f"Gate: cannot tell whether this revision is worse than {revision}."
    return f"Gate: passed. No classifier is shown to be worse than at {revision}."

"""What an upgrade did, in words: `python -m versus reference check` prints it, and the scheduled workflow posts it."""

from collections.abc import Iterator

from versus.artifacts.references import Reference
from versus.evaluation.upgrade import BYTES, CONVERGES, DIFFERS, ROUNDING, UNCLEAR, Change, Upgrade
from versus.frameworks import COMPETITORS
from versus.report.numbers import interval, plural, signed

EXIT_CODES = {BYTES: 0, ROUNDING: 0, CONVERGES: 0, DIFFERS: 1, UNCLEAR: 2}
SENTENCES = {BYTES: "the same bytes.", ROUNDING: "the same up to rounding.", CONVERGES: "converges the same.",
             DIFFERS: "converges differently.", UNCLEAR: "cannot tell."}


def upgrade(result: Upgrade, reference: Reference, now: Reference, margin: float) -> Iterator[str]:
    """Yield the verdict in one sentence, then the figures of each competitor, then what has changed since."""
    yield f"Reference '{reference.name}': {SENTENCES[result.outcome]}"
    if result.obstacles:
        yield ("This run differs in more than versions, so it says nothing about them: "
               f"{'; '.join(result.obstacles)}. Run it with the reference's parameters and images.")
    for name, change in result.changes.items():
        yield f"{COMPETITORS[name].title}: {SENTENCES[change.outcome][:-1]}{_figures(change, margin)}."
    if result.changes:
        seeds = len(next(iter(now.results.values())).accuracy)
        yield f"Accuracies are means of {plural(seeds, 'seed')} on the same {now.part} images."
    changed = list(changes_of_versions(reference, now))
    yield f"Versions since the reference: {', '.join(changed) or 'all the same'}."
    if changed and reference.outputs == now.outputs:
        yield "Every file is the same, even the models': unless `dvc repro --force` ran since, it has to run first."
    if reference.processor != now.processor:
        yield (f"The processor is another one, too ({now.processor}; the reference's: {reference.processor}): that "
               "alone can change the last bits.")


def _figures(change: Change, margin: float) -> str:
    before, after = change.accuracy
    if change.difference is None:
        return f", accuracy {after:.3f}"
    text = (f", accuracy {before:.3f} before, {after:.3f} now ({signed(change.difference.mean)}; 95 % interval "
            f"{interval(*change.difference.interval())}")
    if change.outcome == UNCLEAR:
        return f"{text}: neither within ± {margin:g} nor different; more images or seeds would tell)"
    return f"{text}, within ± {margin:g})" if change.outcome == CONVERGES else f"{text})"


def changes_of_versions(reference: Reference, now: Reference) -> Iterator[str]:
    """Yield 'package old → new' of each package, and of Python, whose version is another one."""
    before, after = ({"python": each.python} | each.versions for each in (reference, now))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, 'none')} → {after.get(name, 'none')}"


def written(reference: Reference) -> str:
    """Say what a new reference holds."""
    scores = ", ".join(f"{COMPETITORS[name].title} {sum(each.accuracy) / len(each.accuracy):.3f}"
                       for name, each in reference.results.items())
    seeds = len(next(iter(reference.results.values())).accuracy)
    return (f"accuracy on the {reference.part} images, mean of {plural(seeds, 'seed')}: {scores}. Commit it; after an "
            f"upgrade and `dvc repro --force`, `python -m versus reference check {reference.name}` compares")

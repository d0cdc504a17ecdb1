"""Images by the folder that they are to be copied to."""

import shutil
from pathlib import Path

from tqdm import tqdm

Tree = dict[Path, list[Path]]  # files by folder, <class> or <part>/<class>, relative to where they are to be copied


def copy(tree: Tree, target: Path) -> None:
    """Copy the files of `tree` below `target`; where they are links, copy what these lead to."""
    for folder in tree:
        (target / folder).mkdir(parents=True)
    copies = [(file, target / folder / file.name) for folder, files in tree.items() for file in files]
    for file, destination in tqdm(copies, desc="copying", unit="image", disable=None):
        shutil.copyfile(file, destination)

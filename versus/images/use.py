"""Point params.yaml at a folder of images, once it is known what the folder holds."""

import os
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from versus import params
from versus.images.sources.errors import SourceError
from versus.images.sources.reader import read
from versus.images.sources.tree import describe


def use(folder: str, labels: str, path: str | Path = "params.yaml") -> list[str]:
    """Set `data.source`, `data.folder` and `data.labels` in params.yaml, keeping its comments; say what `folder` holds.

    The path of a folder in the repository is stored as a relative one, which is the same in every clone, any other as
    an absolute one: experiments in copies of the repository (`dvc exp run --queue`) find both. Raises ParamsError or
    SourceError, and then changes nothing.
    """
    root = Path(os.path.abspath(os.path.expanduser(folder) if not Path(folder).exists() else folder))
    if not root.is_dir():
        raise SourceError(f"got {folder!r}, which is no folder; expected one of images")
    here = Path(os.path.abspath(path)).parent
    stored = str(root.relative_to(here)) if here in root.parents else str(root)
    settings = params.load(path)
    data = settings.data.model_copy(update={"source": "folder", "folder": str(root), "labels": labels,
                                              "group_column": settings.data.group_column if labels else ""})
    files, notes = read(root, data, settings.split)
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 2**16
    document = yaml.load(Path(path).read_text("utf-8"))
    document["data"]["source"] = "folder"
    document["data"]["folder"] = DoubleQuotedScalarString(stored)
    document["data"]["labels"] = DoubleQuotedScalarString(labels)
    document["data"]["group_column"] = DoubleQuotedScalarString(data.group_column)
    unfinished = Path(f"{path}.unfinished")
    with open(unfinished, "w", encoding="utf-8") as file:
        yaml.dump(document, file)
    os.replace(unfinished, path)
    return [f"{root}:", *describe(files), *notes, f"{path} uses it now. `dvc repro` runs the comparison"]

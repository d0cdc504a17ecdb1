"""Read a folder of images, whichever source it is from: what each file is, or why it is left out."""

from pathlib import Path

from versus import params
from versus.images import classes
from versus.images.sources.errors import SourceError
from versus.images.sources.labels import find_tables, hint, read_table
from versus.images.sources.layout import Layout
from versus.images.sources.tree import File, folder_of, sort_out
from versus.images.sources.walk import paths_of


def read(root: Path, settings: params.Data, split: params.Split) -> tuple[list[File], list[str]]:
    """Return a row for every file below `root`, sorted by path, and notes for the user.

    The classes are those of the table `data.labels`, or else the folders. Raises SourceError with all problems.
    """
    paths, problems = paths_of(root)
    images, others = sort_out(root, paths)
    try:
        if settings.labels:
            files, notes = read_table(root, settings, images)
        else:
            layout = Layout(root, folder_of(images),
                            lambda: hint(find_tables(root, images, [file.path for file in others])))
            files, notes = layout.files(images), layout.notes
        used = [(file.label, file.part) for file in files if not file.left_out]
        problems += [f"{str(root)!r}: {problem}" for problem in classes.problems(used, split)]
    except SourceError as error:
        if not problems:  # else it may be a consequence of these
            raise
        raise SourceError("\n".join(problems)) from error
    if problems:
        raise SourceError("\n".join(problems))
    table = Path(settings.labels).name
    others = [file._replace(left_out="the table of labels") if file.path.name == table else file for file in others]
    return sorted(files + others), notes

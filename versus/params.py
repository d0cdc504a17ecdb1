"""params.yaml as typed, frozen, validated objects: one section a class, one key a field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from versus import values

Framework = Literal["keras", "torch"]
FRAMEWORKS: tuple[Framework, ...] = ("keras", "torch")  # whose defaults the conventions can follow
Era = Literal["today", 2018]
ERAS: tuple[Era, ...] = ("today", 2018)  # of the frameworks' defaults
Choice = Literal["native", "keras", "torch"]
Convention = Literal["all", "native", "keras", "torch"]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class ParamsError(ValueError):
    """A params.yaml that cannot be used; the message names line, value, expectation and remedy."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Data(Section):
    source: Literal["sample", "kaggle", "folder", "synthetic"]
    folder: Annotated[str, Field(min_length=1)]
    kaggle: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+/versions/[1-9]\d*$")]
    labels: str
    file_column: str
    class_column: str
    group_column: str
    background: Annotated[str, AfterValidator(values.colour)]
    classes: Annotated[int, Field(ge=2, le=100)]
    per_class: Annotated[int, Field(ge=4)]
    seed: Seed
    groups: str


class Split(Section):
    published: bool
    validation: Share
    test: Annotated[float, Field(ge=0, lt=1)]
    leaks: Literal["remove", "keep"]
    seed: Seed


class Model(Section):
    backbone: Literal["efficientnet_lite0", "resnet50"]
    weights: Annotated[str, Field(pattern=r"^(shared|native|random|.*\.safetensors)$")]
    image_size: Annotated[int, Field(ge=32, le=1024)]
    hidden: Count
    deploy: Literal["first", "mean"]

    @property
    def shared(self) -> bool:
        """Whether all frameworks have the same network and weights: keras.applications' ResNet-50 is another."""
        return self.backbone != "resnet50" or self.weights != "native"


class Extract(Section):
    views: Count
    batch: Annotated[int, Field(ge=2)]
    shear: Annotated[float, Field(ge=0, lt=90)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    flip: bool
    seed: Seed
    precision: Literal["full", "bfloat16"] = "full"


class Train(Section):
    seeds: Count
    epochs: Count
    batch: Count
    learning_rate: Annotated[float, Field(gt=0)]
    precision: Literal["float32", "float64"]


class Conventions(Section):
    era: Era
    all: Choice
    decode: Convention
    resize: Convention
    augment: Convention
    batch_norm: Convention
    head_init: Convention
    adam: Convention

    @classmethod
    def of(cls, everything: Choice, **single: Convention) -> Conventions:
        """Build the section in which every convention is `everything`, except those named in `single`; of today."""
        return cls.model_validate(dict.fromkeys(cls.model_fields, "all") | {"era": "today", "all": everything} | single)

    def of_era(self, era: Era | None) -> Conventions:
        """Return the section with the defaults of `era`; None leaves them as they are."""
        return self if era is None else self.model_copy(update={"era": era})

    def whose_default(self, name: str, framework: Framework) -> Framework:
        """Return the framework whose default `framework` uses in convention `name`.

        It stands here and not in `recipe.conventions`, since the validation of the parameters needs it.
        """
        choice = getattr(self, name)
        if choice == "all":
            choice = self.all
        return framework if choice == "native" else choice


class Compare(Section):
    part: Literal["auto", "validation", "test"] = "auto"
    margin: Share
    bootstrap: Annotated[int, Field(ge=100)]
    seed: Seed
    splits: Annotated[int, Field(ge=1, le=50), AfterValidator(values.one_or_several)] = 1


class Explain(Section):
    views: Count
    seeds: Annotated[int, Field(ge=2)]


class Compute(Section):
    threads: Count
    device: Literal["auto", "cpu", "cuda"] = "auto"
    cluster: Annotated[str, AfterValidator(values.address)] = "none"


class Params(Section):
    data: Data
    split: Split
    model: Model
    extract: Extract
    train: Train
    conventions: Conventions
    compare: Compare
    explain: Explain
    compute: Compute

    @model_validator(mode="after")
    def _check_combinations(self) -> Params:
        for rule in (_group_column_has_a_table, _groups_compile, _weights_fit, _one_batch_size, _one_precision):
            rule(self)
        return self


class _InvalidCombination(ValueError):
    """Keys that do not go together: `key` is the dotted name of the one to change, the message says how."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


def _group_column_has_a_table(settings: Params) -> None:
    if settings.data.group_column and not settings.data.labels:
        raise _InvalidCombination("data.group_column", f"got {settings.data.group_column!r} without a table of labels; "
                                  "expected data.labels to name the table that has this column, or to be empty")


def _groups_compile(settings: Params) -> None:
    try:
        re.compile(settings.data.groups)
    except re.error as error:
        raise _InvalidCombination("data.groups", f"got {settings.data.groups!r}, which is no regular expression "
                                  f"({error}); expected one such as 'patient_(\\d+)', or '' for none") from None


def _weights_fit(settings: Params) -> None:
    if settings.model.weights == "native" and settings.model.backbone == "efficientnet_lite0":
        raise _InvalidCombination("model.weights", "got 'native' with backbone 'efficientnet_lite0', which has only "
                                  "one set of weights; use shared, or backbone resnet50")


def _one_batch_size(settings: Params) -> None:
    defaults = {settings.conventions.whose_default("batch_norm", framework) for framework in FRAMEWORKS}
    batch_statistics = settings.conventions.era == 2018 or defaults != {"keras"}  # today's Keras alone has none
    if batch_statistics and settings.extract.batch != settings.train.batch:
        raise _InvalidCombination("extract.batch", f"got {settings.extract.batch} with train.batch "
                                  f"{settings.train.batch}; in training mode batch norm makes a feature depend on its "
                                  "whole batch, so the two must be equal")


def _one_precision(settings: Params) -> None:
    if settings.extract.precision == "bfloat16" and settings.train.precision != "float32":
        raise _InvalidCombination("extract.precision", f"got 'bfloat16' with train.precision "
                                  f"{settings.train.precision!r}, which is for features that are exact; expected full, "
                                  "or train.precision float32")


def load(path: str | Path = "params.yaml") -> Params:
    """Read and validate `path`; raise ParamsError with one line for each mistake."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        tree, values = yaml.compose(text), yaml.safe_load(text)
    except OSError as error:
        raise ParamsError(f"{path}: {error.strerror}; expected the repository's params.yaml: "
                          "run from the top of the repository") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not YAML: {error}") from None
    try:
        return Params.model_validate(values)
    except ValidationError as invalid:
        complaints = [_complaint(error) for error in invalid.errors()]
        raise ParamsError("\n".join(f"{path}:{_line(tree, key)}: {message}" for key, message in complaints)) from None


def load_compare(margin: float | None = None) -> Compare:
    """Return the section `compare` of this project's params.yaml, or its defaults elsewhere, with another `margin`."""
    try:
        values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        values = None
    ours = isinstance(values, dict) and isinstance(values.get("compare"), dict) and "margin" in values["compare"]
    settings = load().compare if ours else Compare(margin=0.02, bootstrap=10000, seed=0)
    return settings if margin is None else settings.model_copy(update={"margin": margin})


def missing_paths(settings: Params, path: str | Path = "params.yaml") -> dict[str, str]:
    """Return {key: what is wrong} of the keys of the file `path` that name a folder or a file which is not there.

    `load` does not refuse them: most stages need neither, and a colleague's clone may lack the images for good reason.
    """
    folder, weights = settings.data.folder, settings.model.weights
    problems = {}
    if settings.data.source == "folder" and not Path(folder).is_dir():
        problems["data.folder"] = (f"got {folder!r}, which is no folder; expected the path of <class>/* or "
                                   "{train,validation}/<class>/*, absolute or from the repository")
    if weights.endswith(".safetensors") and not Path(weights).is_file():
        problems["model.weights"] = (f"got {weights!r}, which is no file; expected a .safetensors file, or shared, "
                                     "native or random")
    tree = yaml.compose(Path(path).read_text(encoding="utf-8")) if problems else None
    return {key: f"{path}:{_line(tree, tuple(key.split('.')))}: {key}: {problem}" for key, problem in problems.items()}


def _complaint(error: Any) -> tuple[tuple, str]:
    """Turn one of pydantic's errors into the path of its key and a message: what was got, expected, and to do."""
    key, dotted = error["loc"], ".".join(map(str, error["loc"]))
    raised = error.get("ctx", {}).get("error")  # by our own rules
    if isinstance(raised, _InvalidCombination):
        return tuple(raised.key.split(".")), f"{raised.key}: {raised}"
    if raised:
        return key, f"{dotted}: got {error['input']!r}; {raised}"
    if error["type"] == "extra_forbidden":
        return key, f"{dotted}: unknown key; {_nearest(key)}"
    if error["type"] == "missing":
        return key[:-1], f"{dotted}: missing; expected this key with one of its values as in the committed params.yaml"
    return key, f"{dotted}: got {error['input']!r}; {error['msg'][0].lower()}{error['msg'][1:]}"


def _known_keys(section: type[BaseModel] = Params, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of all sections and keys."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _known_keys(field.annotation, prefix + name + ".")


def _nearest(key: tuple) -> str:
    """Name the known key nearest to the unknown `key`: in its own section, or else in another one."""
    section = ".".join(key[:-1])
    known = [name.rpartition(".") for name in _known_keys()]
    siblings = {last: prefix + dot + last for prefix, dot, last in known if prefix == section}
    elsewhere = {last: prefix + dot + last for prefix, dot, last in known}
    for candidates, cutoff in ((siblings, 0.7), (elsewhere, 0.7), (siblings, 0.5)):
        if nearest := difflib.get_close_matches(key[-1], candidates, n=1, cutoff=cutoff):
            return f"did you mean {candidates[nearest[0]]!r}?"
    return f"expected one of {', '.join(siblings.values())}"


def _line(node: yaml.Node | None, key: tuple) -> int:
    """Return the line, from 1, of `key`, a path of names, or of the nearest section above it."""
    line = node.start_mark.line + 1 if node else 1
    for name in key:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        matching = [(key_node, value_node) for key_node, value_node in pairs if key_node.value == str(name)]
        if not matching:
            break
        line, node = matching[-1][0].start_mark.line + 1, matching[-1][1]
    return line

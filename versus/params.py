"""params.yaml as typed, frozen, validated objects: one section a class, one key a field."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FRAMEWORKS = ("keras", "torch")
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
    classes: Annotated[int, Field(ge=2, le=100)]
    per_class: Annotated[int, Field(ge=4)]
    seed: Seed


class Split(Section):
    published: bool
    validation: Share
    leaks: Literal["remove", "keep"]
    seed: Seed


class Model(Section):
    backbone: Literal["efficientnet_lite0", "resnet50"]
    weights: Annotated[str, Field(pattern=r"^(shared|native|random|.*\.safetensors)$")]
    image_size: Annotated[int, Field(ge=32, le=1024)]
    hidden: Count

    @property
    def shared(self):
        """Whether both frameworks have one network and one set of weights: keras.applications' ResNet-50 is another."""
        return self.backbone != "resnet50" or self.weights != "native"


class Extract(Section):
    views: Count
    batch: Annotated[int, Field(ge=2)]
    shear: Annotated[float, Field(ge=0, lt=90)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    flip: bool
    seed: Seed


class Train(Section):
    seeds: Count
    epochs: Count
    batch: Count
    learning_rate: Annotated[float, Field(gt=0)]
    precision: Literal["float32", "float64"]


class Conventions(Section):
    all: Choice
    decode: Convention
    resize: Convention
    augment: Convention
    batch_norm: Convention
    head_init: Convention
    adam: Convention

    def habit(self, name, framework):
        """Whose habit `framework` ("keras" or "torch") follows in convention `name`: "keras" or "torch"."""
        chosen = getattr(self, name)
        if chosen == "all":
            chosen = self.all
        return framework if chosen == "native" else chosen


class Compare(Section):
    margin: Share
    bootstrap: Annotated[int, Field(ge=100)]
    seed: Seed


class Explain(Section):
    views: Count
    seeds: Annotated[int, Field(ge=2)]


class Compute(Section):
    threads: Count


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
    def _combinations(self):
        for rule in (_folder_exists, _weights_exist, _one_batch):
            rule(self)
        return self


class _Combination(ValueError):
    """A combination of keys that cannot be: the dotted name of the key to blame, and what to do."""

    def __init__(self, key, message):
        super().__init__(message)
        self.key = key


def _folder_exists(params):
    if params.data.source == "folder" and not Path(params.data.folder).is_dir():
        raise _Combination("data.folder", f"got {params.data.folder!r}, which is no folder; expected the path of "
                           "<class>/* or {train,validation}/<class>/*, absolute or from the repository")


def _weights_exist(params):
    weights = params.model.weights
    if weights.endswith(".safetensors") and not Path(weights).is_file():
        raise _Combination("model.weights", f"got {weights!r}, which is no file; expected a .safetensors file, "
                           "or shared, native or random")
    if weights == "native" and params.model.backbone == "efficientnet_lite0":
        raise _Combination("model.weights", "got 'native' with backbone 'efficientnet_lite0', of which there is one "
                           "set of weights only; use shared, or backbone resnet50")


def _one_batch(params):
    moving = [f for f in FRAMEWORKS if params.conventions.habit("batch_norm", f) == "torch"]
    if moving and params.extract.batch != params.train.batch:
        raise _Combination("extract.batch", f"got {params.extract.batch} with train.batch {params.train.batch}; batch "
                           "norm in training mode makes features of whole batches, so the two must be equal")


def load(path="params.yaml"):
    """Read and validate `path`; raise ParamsError with a line for each thing that is wrong."""
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
    except ValidationError as error:
        complaints = [_complaint(found) for found in error.errors()]
        raise ParamsError("\n".join(f"{path}:{_line(tree, key)}: {message}" for key, message in complaints)) from None


def _complaint(found):
    """One of pydantic's errors as (path of the key, message that says what was got, expected and to do)."""
    key, dotted = found["loc"], ".".join(map(str, found["loc"]))
    if combination := found.get("ctx", {}).get("error"):
        return tuple(combination.key.split(".")), f"{combination.key}: {combination}"
    if found["type"] == "extra_forbidden":
        return key, f"{dotted}: unknown key; {_nearest(key)}"
    if found["type"] == "missing":
        return key[:-1], f"{dotted}: missing; expected this key with one of its values as in the committed params.yaml"
    return key, f"{dotted}: got {found['input']!r}; {found['msg'][0].lower()}{found['msg'][1:]}"


def _known_keys(section=Params, prefix=""):
    """The dotted names of all sections and keys."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _known_keys(field.annotation, prefix + name + ".")


def _nearest(key):
    """Say which known key is nearest to the unknown `key`: beside it, or else in another section."""
    section = ".".join(key[:-1])
    known = [name.rpartition(".") for name in _known_keys()]
    siblings = {last: prefix + dot + last for prefix, dot, last in known if prefix == section}
    elsewhere = {last: prefix + dot + last for prefix, dot, last in known}
    for candidates, cutoff in ((siblings, 0.7), (elsewhere, 0.7), (siblings, 0.5)):
        if nearest := difflib.get_close_matches(key[-1], candidates, n=1, cutoff=cutoff):
            return f"did you mean {candidates[nearest[0]]!r}?"
    return f"expected one of {', '.join(siblings.values())}"


def _line(node, key):
    """The line, from 1, at which `key`, a path of names, or the nearest section above it stands."""
    line = node.start_mark.line + 1 if node else 1
    for name in key:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = [(k, v) for k, v in pairs if k.value == str(name)]
        if not found:
            break
        line, node = found[-1][0].start_mark.line + 1, found[-1][1]
    return line

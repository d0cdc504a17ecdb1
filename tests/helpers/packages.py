"""Which large packages each stage needs, so that none imports another one: most take longer than the small stages run.

What a framework imports by itself comes on top of that, see OF_FRAMEWORK.
"""

from tests.helpers.imports import of_command
from versus.params import FRAMEWORKS

LARGE = {"IPython", "cv2", "dvc", "huggingface_hub", "jinja2", "kagglehub", "keras", "matplotlib", "nbformat", "onnx",
         "onnxruntime", "pandas", "ray", "requests", "ruamel", "scipy", "scipy.stats", "sklearn", "statsmodels",
         "tensorflow", "timm", "torch", "torchvision", "vl_convert"}
SKLEARN = {"sklearn", "scipy", "scipy.stats"}
OF_FRAMEWORK = {"keras": {"keras", "tensorflow", "cv2", "huggingface_hub", "requests"}, "torch": {"torch"}, "": set()}

# imported when the stage's process starts
AT_START = {
    "check": set(), "download": {"pandas"}, "split": {"pandas", "cv2", *SKLEARN}, "views": {"matplotlib"},
    "weights": set(),
    **dict.fromkeys(("extract_keras", "extract_torch", "train_keras", "train_torch"), set()),
    **dict.fromkeys(("predict_keras", "predict_torch"), {"pandas"}),
    **dict.fromkeys(("splits_keras", "splits_torch", "splits", "controls", "parity"), set()),
    "evaluate": {"pandas", *SKLEARN}, "gallery": {"pandas", "matplotlib"},
    "compare": {"pandas", "scipy"}, "explain": {"pandas", "scipy"},
    **dict.fromkeys(("combinations", "combinations_keras", "combinations_torch"), set()),
    **dict.fromkeys(("eras_keras", "eras_torch"), {"pandas", *SKLEARN}),
    "report": {"pandas", "matplotlib", "jinja2"},
}
# imported only where some setting asks for it: a source, a network, an augmentation, several splits
LATER = {
    "download": {"kagglehub", "requests", "IPython"}, "views": {"scipy"},
    "weights": {"torchvision"}, "extract_keras": {"scipy"}, "extract_torch": {"scipy", "torchvision"},
    "train_torch": {"torchvision"}, "splits_keras": {"pandas", *SKLEARN},
    "splits_torch": {"pandas", *SKLEARN, "torchvision"}, "splits": {"scipy"},
    **dict.fromkeys(("combinations", "combinations_torch"), {"scipy", "torchvision"}), "combinations_keras": {"scipy"},
    "report": {"scipy", "vl_convert"},
}


def framework_of(command):
    """The framework that a stage's `command` imports, "" for none."""
    files = of_command(command)
    return next((name for name in FRAMEWORKS if f"versus/frameworks/{name}/networks.py" in files
                 or f"versus/frameworks/{name}/runtime.py" in files), "")

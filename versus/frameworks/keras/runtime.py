"""Keras on TensorFlow, set so that a run gives the same bytes every time. Import this before keras."""

import os
import sys
from contextlib import contextmanager

from versus import params
from versus.frameworks.devices import CPU, no_gpu

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Keras and TensorFlow import these if they are there, for plots, notebooks and tables: 1.5 s of the 4 that they take
NOT_USED = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")


@contextmanager
def _quiet():
    """Discard what is written to file descriptor 2: TensorFlow's notices at import, before it reads its log level."""
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)


@contextmanager
def _without(*packages):
    """Make packages that are not loaded yet look as if they were not installed."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _quiet(), _without(*NOT_USED):
    import keras
    import tensorflow


def start(compute: params.Compute, precision: str) -> str:
    """Fix the number of threads (the last bits depend on it) and the type of floats ("float32" or "float64").

    Returns what features are computed on: "cpu" or the name of a GPU. Raises DeviceError if there is none as asked for.
    """
    keras.config.set_floatx(precision)
    config = tensorflow.config
    config.threading.set_intra_op_parallelism_threads(compute.threads)
    config.threading.set_inter_op_parallelism_threads(1)
    with _quiet():
        gpus = config.list_physical_devices("GPU")[:1] if compute.device != CPU else []
        config.set_visible_devices(gpus, "GPU")
        for gpu in gpus:
            config.experimental.set_memory_growth(gpu, True)  # it would take all of its memory
        tensorflow.zeros(1)
    if compute.device == "cuda" and not gpus:
        raise no_gpu("TensorFlow")
    if not gpus:
        return CPU
    config.experimental.enable_op_determinism()
    return config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)

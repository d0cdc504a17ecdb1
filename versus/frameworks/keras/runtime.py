"""Keras on TensorFlow, set so that a run gives the same bytes every time. Import this before keras."""

import os
import sys
from contextlib import contextmanager

from versus import params

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


def start(compute: params.Compute, precision: str) -> None:
    """Fix the number of threads (the last bits depend on it) and the type of floats ("float32" or "float64")."""
    keras.config.set_floatx(precision)
    tensorflow.config.threading.set_intra_op_parallelism_threads(compute.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    with _quiet():
        tensorflow.config.set_visible_devices([], "GPU")  # the pipeline computes on the CPU, whose bytes repeat
        tensorflow.zeros(1)

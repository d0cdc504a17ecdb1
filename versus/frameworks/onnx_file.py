"""A saved classifier as one ONNX file, from images to probabilities, in a process of its own.

    python -m versus.frameworks.onnx_file keras models/keras keras.onnx    # competitor, folder, file

Its input `image` is (n, height, width, 3) uint8, RGB, of any size; its output `probabilities` is (n, classes) float32.
Decoding files, and converting those that loaders would misread (model.json: background, deep_range), is outside.
"""

import json
import sys
from pathlib import Path

import onnx
from onnx import ModelProto, compose, helper

from versus import params
from versus.artifacts import model_info
from versus.artifacts.model_info import ModelInfo
from versus.command import run
from versus.frameworks import modules
from versus.frameworks.onnx_resize import RESIZED, resize_graph

OPSET = 18
PROBABILITIES = "probabilities"


def main(name: str, folder: str, path: str) -> None:
    info = model_info.read(folder)
    if info.precision != "float32":
        raise ValueError(f"{folder}: got a classifier of {info.precision}; expected float32, since onnxruntime has no "
                         "convolution of float64: train with train.precision float32")
    runtime, export = modules(name, "runtime", "export")
    runtime.start(params.Compute(threads=1, device="cpu"), info.precision)
    unfinished = Path(path).with_suffix(".unfinished")
    try:
        export.to_onnx(folder, unfinished, OPSET)
        onnx.save(with_resize(onnx.load(unfinished), info), path)
    finally:
        unfinished.unlink(missing_ok=True)


def with_resize(classifier: ModelProto, info: ModelInfo) -> ModelProto:
    """Put the resize of training before an ONNX classifier of pixels, whichever the order of its axes."""
    pixels = classifier.graph.input[0]
    channels_first = pixels.type.tensor_type.shape.dim[1].dim_value == 3
    opset = next(each.version for each in classifier.opset_import if not each.domain)
    resize = helper.make_model(resize_graph(info.resize, info.image_size, channels_first),
                               ir_version=classifier.ir_version, opset_imports=[helper.make_opsetid("", opset)])
    whole = compose.merge_models(resize, classifier, io_map=[(RESIZED, pixels.name)])
    output = whole.graph.output[0]
    for node in whole.graph.node:
        node.output[:] = [PROBABILITIES if name == output.name else name for name in node.output]
        node.input[:] = [PROBABILITIES if name == output.name else name for name in node.input]
    output.name = PROBABILITIES
    versions = {each.domain: each.version for each in whole.opset_import}  # merged, the list has one twice
    del whole.opset_import[:]
    whole.opset_import.extend(helper.make_opsetid(*each) for each in versions.items())
    helper.set_model_props(whole, {"classes": json.dumps(info.classes, ensure_ascii=False), "decode": info.decode})
    onnx.checker.check_model(whole)
    return whole


if __name__ == "__main__":
    run(main, *sys.argv[1:])

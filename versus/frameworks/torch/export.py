"""The saved classifier in PyTorch as ONNX, converted by torch.onnx."""

from pathlib import Path

import torch


def to_onnx(folder: str | Path, path: str | Path, opset: int) -> None:
    """Write the classifier of `folder` as ONNX: pixels (n, 3, size, size), RGB, 0..255, to probabilities."""
    program = torch.export.load(Path(folder) / "classifier.pt2")
    torch.onnx.export(program, (), path, dynamo=True, opset_version=opset, external_data=False, verbose=False)

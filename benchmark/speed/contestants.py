"""Who extracts features: each framework as the pipeline runs it, and onnxruntime, which only computes, for comparison.

All read the same pixels, compute on the same number of threads and hold the same weights.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from versus import params
from versus.frameworks import COMPETITORS, modules
from versus.recipe import weights
from versus.recipe.pixels import ImageBatches

FRAMEWORKS = ("keras", "torch")
NAMES = (*FRAMEWORKS, "onnxruntime")
PRETRAINED = Path("models/backbone.safetensors")


class Framework:
    """A framework as the stages use it: imported when made, ready once built."""

    def __init__(self, name: str, settings: params.Params):
        self.settings = settings
        runtime, self.backbones, self.own = modules(name, "runtime", "backbone", "features")
        runtime.start(settings.compute, "float32")

    def build(self, batch_norm: str, precision: str = "full") -> None:
        """Build the backbone; `batch_norm`: frozen, or batch for the statistics of each batch."""
        self.training = batch_norm != "frozen"
        pretrained = weights.read_pretrained(PRETRAINED)
        self.backbone = self.backbones.build(self.settings.model, pretrained, batch_norm, precision)

    def extract(self, images: ImageBatches) -> np.ndarray:
        """Compute the features of all images: (files, width), in the order of the files."""
        with tqdm(disable=True) as bar:
            return self.own.apply(self.backbone, images, self.training, bar)


class OnnxRuntime:
    """onnxruntime with the backbone that `export_backbone` wrote."""

    def __init__(self, file: Path, settings: params.Params):
        import onnxruntime
        self.onnxruntime, self.file, self.threads = onnxruntime, file, settings.compute.threads

    def build(self, batch_norm: str, precision: str = "full") -> None:
        """Load the backbone, whose batch norm is frozen, in full precision."""
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        # its threads would wait at work, and keep those that read from it
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = self.onnxruntime.InferenceSession(self.file, options, providers=["CPUExecutionProvider"])

    def extract(self, images: ImageBatches) -> np.ndarray:
        """Compute the features of all images: (files, width), in the order of the files."""
        batches = (images.pixels(index) for index in range(len(images.batches)))
        return images.in_order(self.session.run(None, {"pixels": pixels})[0] for pixels in batches)


Contestant = Framework | OnnxRuntime


def contestant(name: str, settings: params.Params, file: Path) -> Contestant:
    """Import a contestant; `file` is the backbone for onnxruntime."""
    return Framework(name, settings) if name in COMPETITORS else OnnxRuntime(file, settings)


def export_backbone(path: str) -> None:
    """Write the backbone with frozen batch norm as ONNX: pixels (n, size, size, 3), 0..255, to features (n, width)."""
    import torch

    from versus.frameworks.torch import backbone as backbones
    model = params.load().model
    # not "frozen": onnxruntime multiplies batch norm into the convolutions itself, and mirroring takes it time
    backbone = backbones.build(model, weights.read_pretrained(PRETRAINED), "saved")
    backbone.register_forward_pre_hook(lambda layer, pixels: pixels[0].permute(0, 3, 1, 2))
    example = torch.zeros(2, model.image_size, model.image_size, 3)
    torch.onnx.export(backbone, (example,), path, input_names=["pixels"], output_names=["features"], dynamo=True,
                      dynamic_shapes={"pixels": {0: torch.export.Dim("batch")}}, external_data=False, verbose=False)

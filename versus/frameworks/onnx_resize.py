"""The resizes of `recipe.pixels` as ONNX graphs: images (n, height, width, 3) uint8 to pixels, 0..255.

They are written out, and give the pixels of training bit by bit. ONNX's own `Resize` rounds one pixel in 200 otherwise
than Pillow does with antialias, and takes every tenth nearest pixel from the other side, which changes probabilities by
up to 0.04 and 0.2.
"""

from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

IMAGE, RESIZED = "image", "resized"
BITS = 22  # of the fraction of Pillow's weights


class Builder:
    """Nodes and constants of a graph; each call adds a node and returns the name of what it computes."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def __call__(self, kind: str, *inputs: str | float | np.number | np.ndarray, **attributes: Any) -> str:
        names = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        output = f"resize.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def transpose_if(self, condition: str, tensor: str, otherwise: bool = False) -> str:
        """Exchange the last two of four axes of uint8 if a condition holds, or if it does not: `otherwise`."""
        branches = []
        for kind in ("Transpose", "Identity"):
            output = f"resize.{len(self.nodes)}.{kind}"
            node = helper.make_node(kind, [tensor], [output])
            if kind == "Transpose":
                node.attribute.append(helper.make_attribute("perm", [0, 1, 3, 2]))
            result = helper.make_tensor_value_info(output, TensorProto.UINT8, [None] * 4)
            branches.append(helper.make_graph([node], kind, [], [result]))
        one, other = reversed(branches) if otherwise else branches
        return self("If", condition, then_branch=one, else_branch=other)

    def _constant(self, value: float | np.number | np.ndarray) -> str:
        name = f"resize.constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def resize_graph(resize: str, size: int, channels_first: bool) -> GraphProto:
    """Return the graph of one of `pixels.RESIZES`: to (n, 3, size, size) or (n, size, size, 3) float32."""
    add = Builder()
    image = add("Transpose", IMAGE, perm=[0, 3, 1, 2])
    pixels = add("Cast", RESIZES[resize](add, image, size), to=TensorProto.FLOAT)
    order = [0, 1, 2, 3] if channels_first else [0, 2, 3, 1]
    add.nodes.append(helper.make_node("Transpose", [pixels], [RESIZED], perm=order))
    shape_of_result = ["n", 3, size, size] if channels_first else ["n", size, size, 3]
    given = helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, ["n", "height", "width", 3])
    result = helper.make_tensor_value_info(RESIZED, TensorProto.FLOAT, shape_of_result)  # type: ignore[arg-type]
    return helper.make_graph(add.nodes, "resize", [given], [result], add.constants)


def _interpolated(add: Builder, image: str, size: int) -> str:
    """Interpolate (n, 3, height, width) without antialias, columns first, as `pixels` does: in float32 throughout."""
    image = add("Cast", image, to=TensorProto.FLOAT)
    half = np.float32(0.5)
    for axis in (3, 2):
        length = add("Cast", _length(add, image, axis), to=TensorProto.FLOAT)
        scale = add("Div", length, np.float32(size))
        position = add("Sub", add("Mul", np.arange(size, dtype=np.float32) + half, scale), half)
        low = add("Floor", position)
        fraction = add("Sub", position, low)
        if axis == 2:
            fraction = add("Unsqueeze", fraction, np.array([1]))
        before = add("Max", low, np.float32(0))
        after = add("Min", add("Ceil", position), add("Sub", length, np.float32(1)))
        one, other = (add("Gather", image, add("Cast", each, to=TensorProto.INT64), axis=axis)
                      for each in (before, after))
        image = add("Add", add("Mul", add("Sub", other, one), fraction), one)
    return image


def _nearest(add: Builder, image: str, size: int) -> str:
    """Take the nearest pixels as Pillow does: its positions are sums, whose rounding decides between neighbours.

    Source: Pillow, src/libImaging/Geometry.c, ImagingScaleAffine.
    """
    steps = np.array([0.5] + [1.0] * (size - 1))
    for axis in (2, 3):
        scale = add("Div", _length(add, image, axis), float(size))
        position = add("CumSum", add("Mul", steps, scale), np.array(0))
        image = add("Gather", image, add("Cast", add("Floor", position), to=TensorProto.INT64), axis=axis)
    return image


def _antialiased(add: Builder, image: str, size: int) -> str:
    """Filter both axes as Pillow 13 does: the columns first where the height shrinks much more than the width.

    Source: Pillow, src/libImaging/Resample.c, ImagingResampleInner; and measured, see `tests/test_export.py`.
    """
    height, width = (add("Sub", _length(add, image, axis), float(size)) for axis in (2, 3))
    columns_first = add("And", add("Greater", height, 0.0), add("Greater", height, add("Mul", width, 2.0)))
    turned = add.transpose_if(columns_first, image)
    once = _filtered(add, turned, size)
    twice = _filtered(add, add("Transpose", once, perm=[0, 1, 3, 2]), size)  # its last axes: the one filtered first
    return add.transpose_if(columns_first, twice, otherwise=True)


def _length(add: Builder, image: str, axis: int) -> str:
    """The length of an axis as a float64."""
    length = add("Squeeze", add("Shape", image, start=axis, end=axis + 1))
    return add("Cast", length, to=TensorProto.DOUBLE)


def _filtered(add: Builder, image: str, size: int) -> str:
    """Apply Pillow's bilinear filter with antialias along the last of four axes of uint8, and round as it does.

    Source: Pillow, src/libImaging/Resample.c, precompute_coeffs, normalize_coeffs_8bpc and
    ImagingResampleHorizontal_8bpc. All sums are whole, positive and below 2**31.
    """
    length = _length(add, image, 3)
    scale = add("Div", length, float(size))
    support = add("Max", scale, 1.0)
    centre = add("Mul", np.arange(size)[:, None] + 0.5, scale)           # (size, 1)
    position = add("Range", np.array(0.0), length, np.array(1.0))        # (length,)
    first = add("Floor", add("Add", add("Sub", centre, support), 0.5))
    end = add("Floor", add("Add", add("Add", centre, support), 0.5))
    inside = add("And", add("GreaterOrEqual", position, first), add("Less", position, end))
    distance = add("Mul", add("Add", add("Sub", position, centre), 0.5), add("Div", 1.0, support))
    triangle = add("Max", add("Sub", 1.0, add("Abs", distance)), 0.0)
    weights = add("Where", inside, triangle, 0.0)                        # (size, length)
    weights = add("Div", weights, add("ReduceSum", weights, np.array([1]), keepdims=1))
    whole = add("Floor", add("Add", add("Mul", weights, 2.0**BITS), 0.5))
    sums = add("Identity", np.int32(2**(BITS - 1)))  # half, to round
    for byte in (65536.0, 256.0, 1.0):        # whole numbers of 22 bits, a byte at a time: exact, fast, and small
        part = add("Floor", add("Div", whole, byte))
        whole = add("Sub", whole, add("Mul", part, byte))
        product = add("MatMulInteger", image, add("Transpose", add("Cast", part, to=TensorProto.UINT8), perm=[1, 0]))
        sums = add("Add", add("Mul", product, np.int32(byte)), sums)
    return add("Cast", add("Min", add("Div", sums, np.int32(2**BITS)), np.int32(255)), to=TensorProto.UINT8)


RESIZES = {"interpolated": _interpolated, "nearest": _nearest, "antialiased": _antialiased}

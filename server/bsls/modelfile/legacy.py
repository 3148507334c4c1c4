"""What the reference changes in networks of older model files; payloads are upgraded by `schema.ops`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bsls.modelfile.binary import BinaryReader
from bsls.modelfile.weights import ConstantWeights
from bsls.network.network import Network
from bsls.network.node import ELEMENT_SIZES, Node, Weights
from bsls.schema.ops.base import Field
from bsls.shape import Dims

if TYPE_CHECKING:
    import numpy as np

_RUN_VARIANCE, _RUN_COUNT = 4, 5
"""Positions among the inputs of BatchNormalization."""

_SMALLEST_SQUARE = 1e-30


@dataclass(frozen=True, slots=True)
class VarianceOfInverse:
    """Running variance of a batch normalization, from the inverse standard deviation s that old files hold.

    The reference takes 1/s² + epsilon, so that inference adds epsilon twice; s² is taken as 1e-30 at least.
    """

    inverse: Weights
    epsilon: float

    @property
    def dims(self) -> Dims:
        return self.inverse.dims

    def array(self) -> np.ndarray:
        import numpy as np

        inverse = self.inverse.array()
        type = inverse.dtype.type
        squares = np.maximum(inverse * inverse, type(_SMALLEST_SQUARE))
        return type(1) / squares + type(np.float32(self.epsilon))


def is_absent(reader: BinaryReader, op: str, field: Field) -> bool:
    """Whether a field that no version number announces is missing: the mode of NCE, which is 2 at most.

    In old files the text that begins the next part stands there, which makes a large number.
    """
    if op != "NCEBasedCrossEntropyWithSoftmax" or field.type != "i32":
        return False
    return int.from_bytes(reader.peek(4), "little") > 2


def convert(network: Network, version: int) -> None:
    """Turns a network as it stands in a file of `version` into one of version 31."""
    for node in list(network):
        if node.op == "BatchNormalization":
            if node.attributes.pop("varianceIsInverseStdDev", False) and len(node.inputs) > _RUN_VARIANCE:
                _convert_variance(node)
            if version < 19 and len(node.inputs) == _RUN_COUNT:
                node.inputs.append(_count(network, node))
        elif node.op == "OptimizedRNNStack" and version < 14:
            node.inputs.reverse()  # was (x, W)


def _convert_variance(node: Node) -> None:
    parameter = node.inputs[_RUN_VARIANCE]
    epsilon: Any = node.attributes["epsilon"]
    # of several nodes that share the parameter one is enough
    if parameter.value is not None and not isinstance(parameter.value, VarianceOfInverse):
        parameter.value = VarianceOfInverse(parameter.value, epsilon)


def _count(network: Network, node: Node) -> Node:
    """The parameter that counts samples; it begins at 0, whatever count the old file holds."""
    name = f"{node.name}.run_sample_count"
    found = network.find(name)
    if found is not None:
        return found
    dims = (1,)
    # statistics are never held in half precision
    precision = "double" if node.precision == "double" else "float"
    count = Node("LearnableParameter", name, precision=precision)
    count.attributes.update(dims=dims, learningRateMultiplier=0.0)
    count.value = ConstantWeights(dims, 0.0, ELEMENT_SIZES[precision])
    network.add(count)
    return count

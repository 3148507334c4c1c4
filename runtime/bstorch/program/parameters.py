"""The parameters of a network as tensors: one set, shared by the programs that train and evaluate it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.modelfile.model import read as read_model
from bsls.network.network import Network
from bsls.network.node import Node, Weights
from bsls.schema.ops.normalization import STATISTICS
from bstorch.initialisation import initial_values
from bstorch.kernels.base import dtype_of, reversed_dims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Parameters:
    """Values of all parameters of a network by node, as tensors with reversed dims on one device.

    Loaded weights win over the initial values that the node's attributes describe. Statistics of the training data (Mean,
    InvStdDev) are kept here, too: they are computed once, before the training, and saved with the model.
    """

    def __init__(self, network: Network, device: torch.device | str = "cpu") -> None:
        self.network = network
        self.device = torch.device(device)
        self._tensors: dict[Node, Tensor] = {
            n: self._made(n, n.value) for n in network if n.is_parameter or n.op in STATISTICS
        }

    def __getitem__(self, node: Node) -> Tensor:
        return self._tensors[node]

    def get(self, node: Node) -> Tensor | None:
        """The value of a parameter, None for other nodes."""
        return self._tensors.get(node)

    def __contains__(self, node: Node) -> bool:
        return node in self._tensors

    def __iter__(self) -> Iterator[Node]:
        return iter(self._tensors)

    def _made(self, node: Node, weights: Weights | None) -> Tensor:
        wanted = reversed_dims(node)
        if weights is None and node.op in STATISTICS:
            return torch.zeros(wanted, dtype=dtype_of(node), device=self.device)
        array = initial_values(node) if weights is None else weights.array()
        if array.shape != wanted:
            if array.size != int(np.prod(wanted)):
                raise BsError(
                    "weights-shape",
                    f"the weights of '{node.name}' have {array.size} values, but its shape is {node.shape}",
                    node.origin,
                    help="load weights of the same shape, or change the parameter's dimensions",
                )
            array = array.reshape(wanted)
        # A copy of our own: weights may be read-only, or belong to a network that is loaded only once.
        return torch.tensor(array, dtype=dtype_of(node), device=self.device)

    @torch.no_grad()
    def reload(self, path: str) -> None:
        """Takes the values of a model file of the same network."""
        loaded = {n.name: n for n in read_model(path)}
        for node, tensor in self._tensors.items():
            tensor.copy_(self._made(node, loaded[node.name].value))
        for node in self.network:  # old batch normalizations count their samples themselves
            if "runCount" in node.attributes:
                node.attributes["runCount"] = loaded[node.name].attributes.get("runCount", 0)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """The values by node name, to be written to a model file."""
        return {node.name: tensor.detach().cpu().numpy() for node, tensor in self._tensors.items()}

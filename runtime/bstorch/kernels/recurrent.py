"""Stacks of recurrent layers as one operation: torch's, whose packed sequences are our packed view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.recurrent import GATES
from bstorch.kernels.base import Environment, Forward, axis_of, kernel, shape_of

_VF: Any = torch._VF  # type: ignore[attr-defined]  # nn.LSTM and its like own their weights; these take them
_CELLS: dict[str, Callable[..., Any]] = {
    "lstm": _VF.lstm,
    "gru": _VF.gru,
    "rnnReLU": _VF.rnn_relu,
    "rnnTanh": _VF.rnn_tanh,
}


def runs_within_frames(node: Node) -> bool:
    """Whether the layers run along the second axis of each frame rather than along the sequences."""
    return int(node.attributes.get("axis", -1)) == 2  # type: ignore[call-overload]


class RecurrentStack:
    """The compiled OptimizedRNNStack of one node.

    x is (frames, inputs), whose sequences are run through, or for axis = 2 (frames, steps, inputs), each frame of which
    is a sequence by itself. The value has in the place of the inputs the last layer's hidden states, those of the
    backward direction behind those of the forward one. All states begin with 0.

    With the matrices W (of the input) and R (of the state) and their biases b and d, a cell with state h and input x is

    - lstm: i, f, o = sigmoid(W x + b + R h + d), g = tanh(W x + b + R h + d), c' = f c + i g, h' = o tanh(c');
      rows in the order i, f, g, o
    - gru: r, z = sigmoid(W x + b + R h + d), n = tanh(W x + b + r (R h + d)), h' = (1 - z) n + z h;
      rows in the order r, z, n
    - rnnReLU, rnnTanh: h' = f(W x + b + R h + d).

    The weights stand one behind the other: W and R, row by row, of each layer and direction; then b and d of each.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        given = node.attributes
        cell = str(given.get("recurrentOp", "lstm"))
        hidden, layers = int(given["hiddenDims"]), int(given.get("numLayers", 1))  # type: ignore[call-overload]
        self._both = bool(given.get("bidirectional", False))
        directions = 2 if self._both else 1
        self._node = node
        self._environment = environment
        self._within_frames = runs_within_frames(node)
        self._run = _CELLS[cell]
        self._has_cells = cell == "lstm"
        self._hidden, self._layers, self._states = hidden, layers, layers * directions
        rows = GATES[cell] * hidden
        widths = [shape_of(node.inputs[1]).dims[0]] * directions + [hidden * directions] * (self._states - directions)
        matrices = [(rows, columns) for width in widths for columns in (width, hidden)]
        self._shapes = [*matrices, *[(rows,)] * len(matrices)]
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]

    def __call__(self, weights: Tensor, x: Tensor) -> Tensor:
        if self._within_frames:
            steps = x.transpose(0, 1)  # time in front, as in the packed view
            sizes = torch.full((len(steps),), len(x), dtype=torch.int64)
            return self._outputs(weights, steps.flatten(0, 1), sizes).unflatten(0, steps.shape[:2]).transpose(0, 1)
        layout = self._environment.layouts[axis_of(self._node)]
        if self._environment.step is not None or bool((layout.begin < 0).any()):
            raise BsError(
                "parts-of-sequences",
                f"'{self._node.name}' is a stack of recurrent layers, which needs whole sequences",
                self._node.origin,
                help="do not truncate sequences, and keep the stack out of recurrent loops",
            )
        return self._outputs(weights, x, torch.from_numpy(layout.batch_sizes))

    def _outputs(self, weights: Tensor, x: Tensor, sizes: Tensor) -> Tensor:
        """The hidden states for `x`, (frames, inputs) in packed order, of which `sizes` has the frames of each time."""
        if len(x) == 0:
            return x.new_zeros(0, self._hidden * (2 if self._both else 1)) * (weights.sum() + x.sum())  # with gradients
        pieces = [
            piece.view(shape) for piece, shape in zip(weights.reshape(-1).split(self._sizes), self._shapes, strict=True)
        ]
        half = len(pieces) // 2  # torch wants the biases of a layer next to its matrices
        arranged = [p for i in range(0, half, 2) for p in (*pieces[i : i + 2], *pieces[half + i : half + i + 2])]
        zero = x.new_zeros(self._states, int(sizes[0]), self._hidden)
        state = (zero, zero) if self._has_cells else zero
        # Training mode, without which a GPU gives no gradients; nothing is dropped out.
        return self._run(x, sizes, state, arranged, True, self._layers, 0.0, True, self._both)[0]


def _overwrites(node: Node) -> int | None:
    return 1 if runs_within_frames(node) else None


@kernel("OptimizedRNNStack", overwrites=_overwrites)
def recurrent_stack(node: Node, environment: Environment) -> Forward:
    return RecurrentStack(node, environment)

"""PastValue and FutureValue, over all frames at once and step by step in a loop.

A frame whose source lies outside of its sequence is a *border* frame: it takes the initial state, or the default value. A
sequence of which earlier minibatches held the beginning finds there what these have left (truncated backpropagation).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.delays import DELAYS
from bstorch.kernels.base import Environment, Forward, axis_of, dtype_of, kernel, reversed_dims, shape_of
from bstorch.program.layout import Indices, MinibatchLayout


class Delay:
    """The compiled PastValue or FutureValue of one node."""

    def __init__(self, node: Node, environment: Environment) -> None:
        self._node = node
        self._environment = environment
        self._axis = axis_of(node)
        self._dims = reversed_dims(node)
        self._dtype = dtype_of(node)
        self.backwards = node.op == "FutureValue"
        """Whether a loop through this delay runs from the end of the sequences to their beginning."""
        self.distance = int(node.attributes.get("timeStep", 1))  # type: ignore[call-overload]
        self.default = float(node.attributes.get("defaultHiddenActivation", 0.1))  # type: ignore[arg-type]
        """What frames beyond the border are where no initial state is given."""
        initial = node.inputs[1] if len(node.inputs) > 1 else None
        self._initial_axis = shape_of(initial).axis if initial is not None else None
        self._initial_dims = reversed_dims(initial) if initial is not None else ()
        self._kept: Tensor | None = None
        """The last frames of the minibatch before, by row of the reference's matrix: (steps, rows, ...), the latest last."""

    def reset(self) -> None:
        """Forgets the minibatch before."""
        self._kept = None

    def state(self) -> Tensor | None:
        """What it keeps of the minibatch before; `restore` takes it back."""
        return self._kept

    def restore(self, state: Tensor | None) -> None:
        """Goes on after the minibatch of that `state`."""
        self._kept = state

    def __call__(self, x: Tensor, initial: Tensor | None = None) -> Tensor:
        """The delayed values of all frames."""
        layout = self._environment.layouts[self._axis]
        borders = self.borders(layout, x.device, initial)
        x = self._widened(x)
        if layout.goes_on:
            self.keep(layout, x)
        sources = layout.remembered(("delay", self.distance, self.backwards), self._sources)
        if len(sources) == 0:
            return borders
        if not self.backwards:  # the border frames are the first ones
            return torch.cat([borders, x.index_select(0, sources.to(x.device))])
        return torch.cat([x, borders]).index_select(0, sources.to(x.device))

    def _sources(self, layout: MinibatchLayout) -> Tensor:
        """Where the values of the frames come from; of those that are no border frames if these come first, else of all,
        with the border frames behind all others."""
        time = layout.frame_time
        row = np.arange(layout.frames) - layout.step_starts[time]
        if not self.backwards:
            inner = np.arange(layout.step_starts[min(self.distance, len(layout.batch_sizes))], layout.frames)
            return torch.from_numpy(layout.step_starts[time[inner] - self.distance] + row[inner])
        sizes = np.append(layout.batch_sizes, np.zeros(self.distance, np.int64))
        is_inner = row < sizes[time + self.distance]
        if not is_inner.any():
            return torch.empty(0, dtype=torch.int64)
        picked = np.empty(layout.frames, np.int64)
        picked[is_inner] = layout.step_starts[time[is_inner] + self.distance] + row[is_inner]
        picked[~is_inner] = layout.frames + np.arange(layout.frames - is_inner.sum())
        return torch.from_numpy(picked)

    def _widened(self, x: Tensor) -> Tensor:
        """An initial state may have larger dims than the operand, which is then repeated."""
        if tuple(x.shape[1:]) == self._dims:
            return x
        ones = (1,) * (len(self._dims) - x.dim() + 1)
        return x.reshape(len(x), *ones, *x.shape[1:]).expand(len(x), *self._dims)

    # --- borders -----------------------------------------------------------------------------------------------------

    def border_counts(self, layout: MinibatchLayout) -> Indices:
        """Number of border frames of each time step: the last ones of the step."""
        return layout.remembered(("borders", self.distance, self.backwards), self._counted)

    def _counted(self, layout: MinibatchLayout) -> Indices:
        sizes = layout.batch_sizes
        if not self.backwards:
            return np.where(np.arange(len(sizes)) < self.distance, sizes, 0)
        later = np.zeros_like(sizes)
        later[: -self.distance or None] = sizes[self.distance :]
        return sizes - later

    def borders(self, layout: MinibatchLayout, device: torch.device, initial: Tensor | None) -> Tensor:
        """The values of all border frames, in packed order."""
        counts = self.border_counts(layout)
        total = int(counts.sum())
        if initial is None:
            values = torch.full((1, *self._dims), self.default, dtype=self._dtype, device=device)
            values = values.expand(total, *self._dims)
        elif self._initial_axis is None:
            ones = (1,) * (len(self._dims) - len(self._initial_dims))
            values = initial.reshape(1, *ones, *self._initial_dims).expand(total, *self._dims)
        else:
            frames = torch.from_numpy(self._initial_frames(layout, counts)).to(device)
            values = initial.index_select(0, frames)
            ones = (1,) * (len(self._dims) - len(self._initial_dims))
            values = values.reshape(total, *ones, *self._initial_dims).expand(total, *self._dims)
        return self._with_kept(values, layout, counts) if layout.goes_on else values

    @staticmethod
    def _border_frames(layout: MinibatchLayout, counts: Indices) -> tuple[Indices, Indices]:
        """Sequence (in the order read) and visible time of each border frame."""
        time = np.repeat(np.arange(len(counts)), counts)
        first = layout.batch_sizes - counts
        within = np.arange(len(time)) - np.repeat(np.cumsum(counts) - counts, counts)
        return layout.order[first[time] + within], time

    def _initial_frames(self, layout: MinibatchLayout, counts: Indices) -> Indices:
        """For each border frame the packed frame of the initial state: the last ones of its sequence for PastValue, the
        first ones for FutureValue, or the only one."""
        assert self._initial_axis is not None
        states = self._environment.layouts[self._initial_axis]
        sequence, time = self._border_frames(layout, counts)
        there = states.lengths[sequence]
        if bool(((there != 1) & (there < self.distance)).any()):
            raise BsError(
                "sequence-lengths",
                f"the initial state of '{self._node.name}' has sequences of fewer than {self.distance} frames",
                self._node.origin,
                help="give it one frame for each sequence, or at least as many as timeStep",
            )
        at = time + there - self.distance
        if self.backwards:
            at = self.distance - (layout.lengths[sequence] - time)
        return states.packed_places(sequence, np.where(there == 1, 0, at))

    # --- truncated backpropagation -----------------------------------------------------------------------------------

    def keep(self, layout: MinibatchLayout, x: Tensor) -> None:
        """Notes the last frames of the operand for the next minibatch."""
        if self.backwards:
            return
        steps = self.distance
        kept = x.new_zeros((steps, layout.rows, *x.shape[1:]))
        if self._kept is not None:
            before = self._kept
            shift = min(layout.width, steps)
            rows = min(layout.rows, before.shape[1])
            kept[: steps - shift, :rows] = before[shift:, :rows]
        columns = layout.packed_of_column.reshape(layout.width, layout.rows)[-steps:]
        step, row = np.nonzero(columns >= 0)
        target = torch.from_numpy(step + steps - len(columns)), torch.from_numpy(row)
        kept[target] = x.detach()[torch.from_numpy(columns[step, row])]
        self._kept = kept

    def _with_kept(self, values: Tensor, layout: MinibatchLayout, counts: Indices) -> Tensor:
        """Border frames that are none, since their sources were in the minibatch before; behind the end of a minibatch
        there is 0."""
        sequence, time = self._border_frames(layout, counts)
        if self.backwards:
            inside = layout.begin + layout.length > layout.width
            inside = inside[sequence] & (
                time - np.minimum(layout.begin, 0)[sequence] + self.distance < layout.length[sequence]
            )
            replaced = torch.from_numpy(inside).view(-1, *(1,) * len(self._dims)).to(values.device)
            return torch.where(replaced, torch.zeros((), dtype=values.dtype, device=values.device), values)
        inside = time - np.minimum(layout.begin, 0)[sequence] >= self.distance
        if not inside.any():
            return values
        if self._kept is None:
            raise BsError(
                "sequence-lengths",
                f"'{self._node.name}' looks back to a part of a sequence that no minibatch has held",
                self._node.origin,
            )
        source = self._kept[
            torch.from_numpy(np.where(inside, time, 0)),  # the latest is distance - 1
            torch.from_numpy(np.where(inside, layout.row[sequence], 0)),
        ]
        replaced = torch.from_numpy(inside).view(-1, *(1,) * len(self._dims)).to(values.device)
        return torch.where(replaced, source, values)


@kernel(*DELAYS)
def delay(node: Node, environment: Environment) -> Forward:
    return Delay(node, environment)

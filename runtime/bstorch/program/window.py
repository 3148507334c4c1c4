"""Frames picked from a value and from its delays, stacked: a window over a sequence, as the library builds it, in one step."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from bsls.network.node import Node
from bsls.schema.ops.delays import DELAYS
from bstorch import kernels
from bstorch.kernels.base import Environment, axis_of, has_axis, shape_of
from bstorch.kernels.delays import Delay
from bstorch.kernels.sequences import frames_of
from bstorch.program.fusion import Fused, Users


def fuse_window(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """RowStack of GatherPacked (index, x or a delay of x) for vectors x; otherwise as `fuse_affine`."""
    if node.op != "RowStack" or node.attributes.get("axis", 1) != 1 or not has_axis(node):
        return None
    gathers = node.inputs
    if any(g.op != "GatherPacked" or users[g] != [node] or g in kept or shape_of(g).rank != 1 for g in gathers):
        return None
    index = gathers[0].inputs[0]
    delays: list[Node | None] = []
    values: set[Node] = set()
    for gather in gathers:
        source = gather.inputs[1]
        if source.op in DELAYS and users[source] == [gather] and source not in kept and len(source.inputs) == 1:
            delays.append(source)
            source = source.inputs[0]
        else:
            delays.append(None)
        if gather.inputs[0] is not index or not has_axis(source) or shape_of(source) != shape_of(gather.inputs[1]):
            return None
        values.add(source)
    if len(values) != 1 or not any(delays):
        return None
    (x,) = values
    window = _Window(gathers, delays, x, environment)
    return Fused((index, x), window, (*gathers, *(d for d in delays if d is not None)))


class _Window:
    def __init__(self, gathers: list[Node], delays: list[Node | None], x: Node, environment: Environment) -> None:
        self._environment = environment
        self._gather = gathers[0]
        self._axis = axis_of(x)
        self._delays = [None if d is None else Delay(d, environment) for d in delays]
        found = kernels.get("GatherPacked")
        assert found is not None
        self._picked = [found.build(g, environment) for g in gathers]
        shifts = [0 if d is None else d.distance if d.backwards else -d.distance for d in self._delays]
        self._shifts = np.array(shifts, np.int64)
        defaults = sorted({d.default for d in self._delays if d is not None})
        self._defaults = defaults
        self._border = np.array([0 if d is None else defaults.index(d.default) for d in self._delays], np.int64)

    def __call__(self, index: Tensor, x: Tensor) -> Tensor:
        """Frames of the axis of `index`; the rows of the first gather first."""
        layout = self._environment.layouts[self._axis]
        if layout.goes_on:  # each delay keeps what the next minibatch needs
            delayed = [x if d is None else d(x) for d in self._delays]
            return torch.cat([pick(index, v) for pick, v in zip(self._picked, delayed, strict=True)], 1)
        frames = frames_of(index, layout, self._gather)
        time = layout.frame_time[frames]
        row = frames - layout.step_starts[time]
        sizes = np.append(layout.batch_sizes, 0)  # one more time step, in which nothing is
        wanted = time[:, None] + self._shifts
        wanted[(wanted < 0) | (wanted >= len(sizes))] = len(sizes) - 1
        there = row[:, None] < sizes[wanted]
        picked = np.where(there, layout.step_starts[wanted] + row[:, None], layout.frames + self._border)
        borders = x.new_tensor(self._defaults).unsqueeze(1).expand(-1, x.shape[1])
        places = torch.from_numpy(picked.reshape(-1)).to(x.device)
        return torch.cat([x, borders]).index_select(0, places).view(len(frames), -1)

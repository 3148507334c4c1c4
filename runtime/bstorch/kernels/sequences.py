"""Operations that pick, place and re-label frames, or turn frames into an axis of the sample and back.

Sequences of two dynamic axes belong together by their place in the order read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, has_axis, kernel, reversed_dims, shape_of
from bstorch.program.layout import Indices, MinibatchLayout


def _to_device(indices: Indices, like: Tensor) -> Tensor:
    return torch.from_numpy(indices).to(like.device)


@kernel("Where")
def where(node: Node, environment: Environment) -> Forward:
    source, axis = axis_of(node.inputs[0]), axis_of(node)

    def listed(condition: Tensor) -> Tensor:
        layout = environment.layouts[source]
        counts = condition.detach().reshape(-1).cpu()
        margin = 1.0 - torch.finfo(counts.dtype).eps
        flat = counts.double().numpy()[layout.by_sequence.numpy()]
        parts = np.split(flat, np.cumsum(layout.lengths)[:-1]) if layout.sequences else []  # none is split into one
        found = [_listed(c, margin) for c in parts]
        environment.layouts[axis] = made = MinibatchLayout.packed([len(f) for f in found])
        values = np.concatenate([np.zeros(0, np.int64), *found])
        frames = np.empty_like(values)
        frames[made.by_sequence.numpy()] = values
        return torch.from_numpy(frames).to(condition.device, condition.dtype).view(-1, 1)

    return listed


def _listed(counts: np.ndarray, margin: float) -> Indices:
    """Frame t so often that the number of frames listed reaches the running sum of the counts, but for rounding."""
    if ((counts == 0) | (counts == 1)).all():
        return np.nonzero(counts)[0]
    wanted = np.cumsum(counts)
    lengths = np.ceil(wanted * margin)
    lengths = np.maximum.accumulate(np.where(wanted > 0, np.maximum(lengths, 1), 0)).astype(np.int64)
    return np.repeat(np.arange(len(counts)), np.diff(lengths, prepend=0))


@kernel("PackedIndex")
def packed_index(node: Node, environment: Environment) -> Forward:
    source, axis = axis_of(node.inputs[0]), axis_of(node)

    def columns(_: Tensor, index: Tensor) -> Tensor:
        layout, target = environment.layouts[source], environment.layouts[axis]
        sequence = target.frame_sequence
        time = index.detach().reshape(-1).cpu().numpy().astype(np.int64)
        if bool(((time < 0) | (time >= layout.lengths[sequence])).any()):
            raise BsError(
                "index-out-of-range",
                f"'{node.name}' points to frames that a sequence of '{node.inputs[0].name}' does not have",
                node.origin,
            )
        found = layout.columns.numpy()[layout.packed_places(sequence, time)]
        return _to_device(found, index).to(index.dtype).view(-1, 1)

    return columns


def _frames_of(columns: Tensor, layout: MinibatchLayout, node: Node) -> Tensor:
    """The packed frames in the columns of the reference's matrix."""
    wanted = columns.detach().reshape(-1).cpu().numpy().astype(np.int64)
    inside = (wanted >= 0) & (wanted < layout.matrix_columns)
    found = layout.packed_of_column[wanted[inside]]
    if not inside.all() or (found < 0).any():
        raise BsError(
            "index-out-of-range", f"'{node.name}' points to frames that the minibatch does not have", node.origin
        )
    return _to_device(found, columns)


@kernel("GatherPacked")
def gather(node: Node, environment: Environment) -> Forward:
    source = node.inputs[1]
    if has_axis(source):
        axis = axis_of(source)
        return lambda index, x: x.index_select(0, _frames_of(index, environment.layouts[axis], node))
    dims, reversed_ = shape_of(source).dims, reversed_dims(source)
    slices = dims[-1] if dims else 1

    def picked(index: Tensor, x: Tensor) -> Tensor:
        wanted = index.detach().reshape(-1).long()
        if bool(((wanted < 0) | (wanted >= slices)).any()):
            raise BsError(
                "index-out-of-range", f"'{node.name}' picks slices that '{source.name}' does not have", node.origin
            )
        rest = reversed_[1:] if len(reversed_) > 1 else (1,)
        return x.reshape(slices, *rest).index_select(0, wanted)

    return picked


@kernel("ScatterPacked")
def scatter(node: Node, environment: Environment) -> Forward:
    axis = axis_of(node)

    def placed(_: Tensor, index: Tensor, x: Tensor) -> Tensor:
        layout = environment.layouts[axis]
        target = x.new_zeros((layout.frames, *x.shape[1:]))
        return target.index_copy(0, _frames_of(index, layout, node), x)

    return placed


@kernel("ReconcileDynamicAxis")
def reconcile(node: Node, environment: Environment) -> Forward:
    data, axis = node.inputs[0], axis_of(node)
    if not has_axis(data):
        return lambda x, _: x.expand(environment.layouts[axis].frames, *x.shape)
    source = axis_of(data)
    if source == axis:
        return lambda x, _: x

    def matched(x: Tensor, _: Tensor) -> Tensor:
        have, wanted = environment.layouts[source], environment.layouts[axis]
        if np.array_equal(have.lengths, wanted.lengths):
            return x
        if have.sequences == wanted.sequences and bool((have.lengths == 1).all()):
            return x.index_select(0, _to_device(have.places[wanted.frame_sequence], x))
        raise BsError(
            "sequence-lengths",
            f"'{node.name}' cannot bring '{data.name}' to the dynamic axis of '{node.inputs[1].name}': its sequences have "
            "other lengths",
            node.origin,
            help="both need sequences of the same lengths, or the first one frame in each",
        )

    return matched


def sequence_sums(node: Node, environment: Environment) -> Callable[[Tensor], Tensor]:
    """Makes of the frames of the node's first input the sum of each sequence, on the node's axis, which has one frame for
    each sequence, in the order read."""
    source, axis = axis_of(node.inputs[0]), axis_of(node)

    def total(x: Tensor) -> Tensor:
        layout = environment.layouts[source]
        environment.layouts[axis] = MinibatchLayout.of_frames(layout.sequences)
        sums = x.new_zeros((layout.sequences, *x.shape[1:]))
        return sums.index_add(0, _to_device(layout.frame_sequence, x), x)

    return total


def _unrolled(x: Tensor, have: MinibatchLayout, made: MinibatchLayout) -> Tensor:
    """The frames of `made` from x, (sequences, steps, ...), whose sequences are laid out as `have`."""
    return x[_to_device(have.places[made.frame_sequence], x), _to_device(made.frame_time, x)]


@kernel("ToSequence")
def to_sequence(node: Node, environment: Environment) -> Forward:
    """The last axis of each sample, the first of its tensor, as frames."""
    source, axis = axis_of(node.inputs[0]), axis_of(node)
    most = shape_of(node.inputs[0]).dims[-1]

    def unrolled(x: Tensor, lengths: Tensor | None = None) -> Tensor:
        have = environment.layouts[source]
        if lengths is None:
            wanted = np.full(have.sequences, most)
        else:
            wanted = lengths.detach().reshape(-1).cpu().numpy().astype(np.int64)[have.places]
        made = environment.layouts[axis] = MinibatchLayout.packed(np.clip(wanted, 0, most))
        return _unrolled(x, have, made)

    return unrolled


@kernel("ToSequenceLike")
def to_sequence_like(node: Node, environment: Environment) -> Forward:
    source, axis = axis_of(node.inputs[0]), axis_of(node)

    def unrolled(x: Tensor, _: Tensor) -> Tensor:
        have, made = environment.layouts[source], environment.layouts[axis]
        return _unrolled(x, have, made)

    return unrolled


@kernel("UnpackSequence")
def unpack_sequence(node: Node, environment: Environment) -> Forward:
    """Frames as the last axis of one sample per sequence; shorter sequences are filled with `paddingValue`."""
    source, axis = axis_of(node.inputs[0]), axis_of(node)
    padding = float(node.attributes.get("paddingValue", 0.0))  # type: ignore[arg-type]

    def padded(x: Tensor) -> Tensor:
        layout = environment.layouts[source]
        environment.layouts[axis] = MinibatchLayout.of_frames(layout.sequences)
        full = x.new_full((layout.sequences, len(layout.batch_sizes), *x.shape[1:]), padding)
        at = _to_device(layout.frame_sequence, x), _to_device(layout.frame_time, x)
        return full.index_put(at, x)

    return padded


@kernel("ToBatchAxisNode")
def to_batch(node: Node, environment: Environment) -> Forward:
    axis = axis_of(node)

    def batch(x: Tensor) -> Tensor:
        environment.layouts[axis] = MinibatchLayout.of_frames(len(x))
        return x

    return batch


@kernel("UnpackBatchAxis")
def unpack_batch(node: Node, environment: Environment) -> Forward:
    axis = axis_of(node.inputs[0])
    return lambda x: x[environment.layouts[axis].by_sequence.to(x.device)]

"""ForwardBackward: connectionist temporal classification (CTC).

A sequence's labels are the classes of those frames whose largest element in the graph is 2, which marks where a label
begins. Between them, before and after come blanks: 2 L + 1 states for L labels. An alignment gives each frame a state; it
goes on to the same state, the next one, or over a blank between two different labels. The value is minus the logarithm of
the summed probability of all alignments; the gradient for the scores is their softmax less the states' posterior
probabilities, which are normalised in each frame.

With a delay constraint d, a label may be given up to d frames after the next label's place in the graph, a blank for one
frame less; both may be given as long as they like where no further label comes.

A. Graves et al., "Connectionist Temporal Classification" (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, elements, kernel
from bstorch.kernels.criteria import SMALLEST_DIVISOR, samples
from bstorch.program.layout import MinibatchLayout

LOG_ZERO = -10e10
"""The logarithm of 0, which stays a number in sums."""
BEGIN = 2.0
"""Marks in a graph that a label begins."""
NO_CONSTRAINT = -1


@dataclass(frozen=True, slots=True)
class _States:
    """The states of the sequences of a minibatch, padded to the most of all: (sequences, states)."""

    symbols: Tensor  # their classes
    valid: Tensor
    last: Tensor  # the last frame of which a state may be given
    lengths: Tensor  # frames of each sequence
    blank: int

    @classmethod
    def of(cls, graph: Tensor, layout: MinibatchLayout, blank: int, delay: int) -> _States:
        marks, classes = graph.max(1)
        order, ends = layout.by_sequence.to(graph.device), np.cumsum(layout.lengths)[:-1]
        begins = np.split(marks.eq(BEGIN)[order].cpu().numpy(), ends)
        labels = np.split(classes[order].cpu().numpy(), ends)
        sequences = len(layout.lengths)
        states = 1 + 2 * max((int(b.sum()) for b in begins), default=0)
        symbols = np.full((sequences, states), blank)
        valid = np.zeros((sequences, states), bool)
        last = np.full((sequences, states), np.iinfo(np.int64).max)
        for i in range(sequences):
            places = np.flatnonzero(begins[i])
            symbols[i, 1 : 2 * len(places) : 2] = labels[i][places]
            valid[i, : 2 * len(places) + 1] = True
            if delay != NO_CONSTRAINT and len(places) > 1:
                # A label and the blank before it wait for the place of the next label.
                until = np.repeat(places[1:], 2) + delay
                last[i, : len(until)] = until - (symbols[i, : len(until)] == blank)
        device = graph.device
        return cls(
            torch.from_numpy(symbols).to(device),
            torch.from_numpy(valid).to(device),
            torch.from_numpy(last).to(device),
            torch.from_numpy(layout.lengths).to(device),
            blank,
        )

    def skips(self) -> Tensor:
        """Whether a state can be reached from the one before the previous: (sequences, states)."""
        found = torch.zeros_like(self.valid)
        found[:, 2:] = (self.symbols[:, 2:] != self.blank) & (self.symbols[:, 2:] != self.symbols[:, :-2])
        return found & self.valid


def _moved(scores: Tensor, by: int) -> Tensor:
    """Scores of the state `by` places before each (behind it, where negative)."""
    result = torch.full_like(scores, LOG_ZERO)
    if by > 0:
        result[:, by:] = scores[:, :-by]
    else:
        result[:, :by] = scores[:, -by:]
    return result


def _alphas(emitted: Tensor, states: _States) -> Tensor:
    """Log probabilities of all beginnings of alignments, by (sequence, frame, state)."""
    skips = states.skips()
    now = torch.full_like(emitted[:, 0], LOG_ZERO)
    now[:, :2] = emitted[:, 0, :2]
    now = now.masked_fill(~states.valid, LOG_ZERO)
    found = [now]
    for t in range(1, emitted.shape[1]):
        skipped = _moved(now, 2).masked_fill(~skips, LOG_ZERO)
        now = torch.logaddexp(torch.logaddexp(skipped, _moved(now, 1)), now) + emitted[:, t]
        now = now.masked_fill(~states.valid | (t > states.last), LOG_ZERO)
        found.append(now)
    return torch.stack(found, 1)


def _betas(emitted: Tensor, states: _States) -> Tensor:
    """Log probabilities of all ends of alignments, their first frame included."""
    skips = torch.zeros_like(states.valid)
    skips[:, :-2] = states.skips()[:, 2:]
    place = torch.arange(states.valid.shape[1], device=emitted.device)
    final = states.valid & place.ge(states.valid.sum(1, keepdim=True) - 2)
    now = torch.full_like(emitted[:, 0], LOG_ZERO)
    found = [now] * emitted.shape[1]
    for t in reversed(range(emitted.shape[1])):
        skipped = _moved(now, -2).masked_fill(~skips, LOG_ZERO)
        now = torch.logaddexp(torch.logaddexp(skipped, _moved(now, -1)), now) + emitted[:, t]
        now = now.masked_fill(~states.valid | (t > states.last), LOG_ZERO)
        ending = states.lengths.eq(t + 1)[:, None]
        now = torch.where(ending, torch.where(final, emitted[:, t], LOG_ZERO), now)
        now = torch.where(states.lengths.le(t)[:, None], LOG_ZERO, now)
        found[t] = now
    return torch.stack(found, 1)


def _posteriors(logs: Tensor, states: _States) -> tuple[Tensor, Tensor]:
    """The value of the criterion, and of each frame the probabilities of the classes: (sequences, frames, classes)."""
    each = states.symbols[:, None].expand(-1, logs.shape[1], -1)
    emitted = logs.gather(2, each)
    alphas, betas = _alphas(emitted, states), _betas(emitted, states)
    totals = torch.logsumexp(betas[:, 0, :2], 1)
    occupied = torch.exp(alphas + betas - emitted - totals[:, None, None])
    occupied = occupied.masked_fill(~states.valid[:, None], 0.0)
    found = torch.zeros_like(logs).scatter_add_(2, each, occupied)
    return -totals.sum(), found / found.sum(2, keepdim=True).clamp(min=SMALLEST_DIVISOR)


class Alignments(Function):
    """The criterion over the packed frames of a minibatch."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, graph: Tensor, layout: MinibatchLayout, blank: int, delay: int) -> Tensor:
        logs = torch.log_softmax(z, 1)
        if layout.frames == 0:
            ctx.save_for_backward(torch.zeros_like(logs))
            return logs.new_zeros(1)
        sequence = torch.from_numpy(layout.frame_sequence).to(z.device)
        time = torch.from_numpy(layout.frame_time).to(z.device)
        padded = logs.new_zeros((layout.sequences, int(layout.lengths.max()), logs.shape[1]))
        padded[sequence, time] = logs
        value, posteriors = _posteriors(padded, _States.of(graph, layout, blank, delay))
        ctx.save_for_backward(torch.exp(logs) - posteriors[sequence, time])
        return value.view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (difference,) = ctx.saved_tensors
        return difference * gradients[0], None, None, None, None


@kernel("ForwardBackward")
def forward_backward(node: Node, environment: Environment) -> Forward:
    as_graph, as_scores, axis = samples(node, 0), samples(node, 1), axis_of(node.inputs[1])
    classes = elements(node.inputs[1])
    blank = int(node.attributes["blankTokenId"])  # type: ignore[call-overload]
    blank = blank if 0 <= blank < classes else classes - 1
    delay = int(node.attributes.get("delayConstraint", NO_CONSTRAINT))  # type: ignore[call-overload]

    def criterion(graph: Tensor, z: Tensor) -> Tensor:
        return Alignments.apply(as_scores(z), as_graph(graph), environment.layouts[axis], blank, delay)

    return criterion

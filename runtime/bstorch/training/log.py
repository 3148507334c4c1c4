"""The lines of the reference's log, as its readers know them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bstorch.training.criteria import Criterion

UNKNOWN_EPOCH_SIZE = 2**64 - 1
"""Samples of an epoch as long as nothing is known about it."""


def number(value: float, precision: int, width: int = 0) -> str:
    """`%.8f`, or `%.8e` where `%.8g` would use an exponent (for precision 8)."""
    if math.isnan(value):
        return "-nan" if math.copysign(1.0, value) < 0 else "nan"
    kind = "e" if "e" in f"{value:.{precision}g}" else "f"
    return f"{value:{width or ''}.{precision}{kind}}"


def criterion(name: str, value: Criterion) -> str:
    """`ce = 0.69314718 * 20`; a name that ends in `s` is taken for a count of errors, and shown in percent."""
    return f"{name} = {average(name, value)} * {value.samples}"


def average(name: str, value: Criterion, precision: int = 8) -> str:
    """The value alone, in percent or with `precision` digits."""
    return f"{number(100 * value.average, 3, 2)}%" if in_percent(name) else number(value.average, precision)


def in_percent(name: str) -> bool:
    """Whether a criterion of this name is shown in percent."""
    return name.endswith("s")


def criteria(names: Sequence[str], values: Sequence[Criterion]) -> str:
    """All criteria, separated by semicolons."""
    return "; ".join(criterion(n, v) for n, v in zip(names, values, strict=True))


def training_head(
    criterion_nodes: Sequence[tuple[str, str]], evaluation_nodes: Sequence[tuple[str, str]], nodes: int, device: str
) -> Iterable[str]:
    """What is trained, with (name, operation) of each criterion."""
    yield ""
    yield f"Model has {nodes} nodes. Using {device}."
    yield ""
    if len(criterion_nodes) == 1:
        yield "Training criterion:   {} = {}".format(*criterion_nodes[0])
    else:
        yield "Training criteria:"
        yield from (f"\t{name} = {op}" for name, op in criterion_nodes)
    if len(evaluation_nodes) == 1:
        yield "Evaluation criterion: {} = {}".format(*evaluation_nodes[0])
    elif evaluation_nodes:
        yield ""
        yield "Evaluation criteria:"
        yield from (f"\t{name} = {op}" for name, op in evaluation_nodes)


def parameter_list(
    updated: Sequence[tuple[str, str]], elements: int, learnable: int, with_gradient: int, trace_level: int
) -> Iterable[str]:
    """The parameters that are updated, as (name, shape)."""
    yield ""
    if trace_level == 0:
        yield f"Training {elements} parameters in {len(updated)} parameter tensors."
    else:
        yield f"Training {elements} parameters in {len(updated)} out of {learnable} parameter tensors and {with_gradient} nodes with gradient:"
        yield ""
        yield from (f"\tNode '{name}' (LearnableParameter operation) : {shape}" for name, shape in updated)
    yield ""


def epoch_start(epoch: int, rate: float, momentum_per_sample: float, minibatch_size: int) -> str:
    """`epoch` counts from 1; the momentum is printed for a whole minibatch and as a time constant in samples."""
    constant = 0.0 if momentum_per_sample in (0.0, 1.0) else -1.0 / math.log(momentum_per_sample)
    momentum = momentum_per_sample**minibatch_size
    return f"Starting Epoch {epoch}: learning rate per sample = {rate:f}  effective momentum = {momentum:f}  momentum as time constant = {constant:.1f} samples"


def minibatch_line(
    epoch: int, epochs: int, first: int, last: int, progress: str, shown: str, seconds: float, samples: int
) -> str:
    """Minibatches `first` to `last` (from 1) of an epoch."""
    speed = samples / seconds if seconds > 0 else 0.0
    return f" Epoch[{epoch:2d} of {epochs}]-Minibatch[{first:4d}-{last:4d}{progress}]: {shown}; time = {number(seconds, 4)}s; samplesPerSecond = {speed:.1f}"


def progress(done: int, in_range: int, minibatch_size: int, epoch_samples: int) -> str:
    """`, 33.33%` after `done` minibatches; the range of a line decides how many digits are shown."""
    if not epoch_samples:
        return ", 0.00%"
    per_epoch = epoch_samples / minibatch_size
    digits = max(math.ceil(math.log10(per_epoch / in_range)) - 2, 2)
    return f", {100 * (done / per_epoch):2.{digits}f}%"


def epoch_end(epoch: int, epochs: int, part: str, shown: str) -> str:
    """`part` is Training or Validate."""
    return f"Finished Epoch[{epoch:2d} of {epochs}]: [{part}] {shown}"


def evaluation_line(first: int, last: int, shown: str, final: bool = False) -> str:
    """Minibatches `first` to `last` of a test."""
    return f"{'Final Results: ' if final else ''}Minibatch[{first}-{last}]: {shown}"

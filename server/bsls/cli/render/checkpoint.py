"""What `bsls model show` prints of a checkpoint: how far the training is, and the state of its learners."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, prod
from typing import Any

from bsls.cli.render.totals import counted
from bsls.modelfile.checkpoint import Checkpoint
from bsls.modelfile.v2_checkpoint import TrainerCheckpoint
from bsls.shape import Dims, Shape


def as_json(found: Checkpoint | TrainerCheckpoint) -> dict[str, Any]:
    """With stable keys; what a file does not have is null."""
    if isinstance(found, Checkpoint):
        return {
            "samples": found.samples_seen,
            "learningRatePerSample": _finite(found.learning_rate),
            "previousCriterion": _finite(found.previous_criterion),
            "minibatchSize": found.minibatch_size,
            "gradients": [list(_dims(g.shape)) for g in found.gradients],
            "counts": found.counts,
            "best": None
            if found.criteria is None
            else [{"value": _finite(b.value), "epoch": b.epoch} for b in found.criteria],
        }
    return {
        "workers": found.workers,
        "learners": [
            {
                "samples": learner.samples,
                "minibatches": learner.minibatches,
                "sweeps": learner.sweeps,
                "learningRates": {str(sample): rate for sample, rate in learner.schedule.rates.items()},
                "perSamples": learner.schedule.minibatch,
                "gradients": [list(g.dims) for g in learner.gradients],
            }
            for learner in found.learners
        ],
    }


def as_text(found: Checkpoint | TrainerCheckpoint, path: str) -> str:
    """One line for each thing; shapes as CNTK has them."""
    if isinstance(found, Checkpoint):
        lines = [f"{path}: training checkpoint of a config (v1)", ""]
        lines += _rows(
            ("samples seen", f"{found.samples_seen:,}"),
            ("learning rate", f"{found.learning_rate:g} per sample"),
            ("criterion", f"{found.previous_criterion:g} per sample, in the last epoch"),
            ("minibatch size", "" if found.minibatch_size is None else f"{found.minibatch_size:,}"),
            ("gradients", _gradients([_dims(g.shape) for g in found.gradients])),
            *(
                ("best", f"{best.value:g} in epoch {best.epoch + 1}")
                for best in found.criteria or []
                if best.epoch >= 0
            ),
        )
        return "\n".join(lines) + "\n"
    lines = [f"{path}: training checkpoint of the v2 library", ""]
    if found.workers:
        lines += _rows(("workers", str(found.workers)))
    for learner in found.learners:
        sweeps = "" if learner.sweeps is None else f", {counted(learner.sweeps, 'sweep')}"
        unit = f"per {counted(learner.schedule.minibatch, 'sample')}" if learner.schedule.minibatch else "per minibatch"
        rates = ", ".join(f"{rate:g} from sample {sample:,}" for sample, rate in sorted(learner.schedule.rates.items()))
        lines += _rows(
            ("samples seen", f"{learner.samples:,} in {learner.minibatches:,} minibatches{sweeps}"),
            ("learning rates", f"{rates}, {unit}"),
            ("gradients", _gradients([g.dims for g in learner.gradients])),
        )
    return "\n".join(lines) + "\n"


def _finite(number: float) -> float | None:
    """JSON has no other numbers."""
    return number if isfinite(number) else None


def _dims(shape: Sequence[int]) -> Dims:
    """Of an array of numpy."""
    return tuple(reversed(shape))


def _gradients(shapes: Sequence[Dims]) -> str:
    if not shapes:
        return "none"
    listed = ", ".join(str(Shape(dims)) for dims in shapes[:_SHOWN]) + (", ..." if len(shapes) > _SHOWN else "")
    return f"{counted(len(shapes), 'array')} with {counted(sum(map(prod, shapes)), 'value')}: {listed}"


def _rows(*rows: tuple[str, str]) -> list[str]:
    return [f"{title + ':':18}{text}" for title, text in rows if text]


_SHOWN = 8
"""Shapes in a list that could be long."""

"""What the log says before a training begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bsls.network.node import Node
from bsls.shape import Shape
from bstorch.kernels.base import shape_of
from bstorch.kernels.noise import RANDOM_OPERATIONS
from bstorch.training import log

if TYPE_CHECKING:
    from bstorch.training.loop import Trainer


def introduce(trainer: Trainer) -> None:
    """What is trained, and with which settings of our own."""
    say_all, trace_level = trainer.context.say_all, trainer.settings.trace_level
    say_all(
        log.training_head(
            _named(trainer.criteria), _named(trainer.evaluations), len(trainer.network), trainer.context.device_name
        )
    )
    learnable = trainer.program.learnable
    updated = [(n.name, str(Shape(shape_of(n).dims))) for n in learnable]
    elements = sum(shape_of(n).elements for n in learnable)
    say_all(log.parameter_list(updated, elements, len(learnable), len(trainer.program.with_gradient), trace_level))
    if trainer.program.environment.fast_random and any(n.op in RANDOM_OPERATIONS for n in trainer.program.order):
        trainer.context.say(
            "Random numbers are fast ones, other than those of CNTK (randomNumbers = reference gives the same)."
        )

    if trainer.program.environment.recompute:
        trainer.context.say(
            f"Parts of the network that are computed again on the way back (recomputeActivations = true): {trainer.program.segments}."
        )
    if trainer.settings.compile:
        _introduce_compiling(trainer)


def _introduce_compiling(trainer: Trainer) -> None:
    regions = trainer.program.regions
    if trainer.settings.recompute_activations or trainer.context.detect_anomaly:
        other = "recomputeActivations = true" if trainer.settings.recompute_activations else "--detect-anomaly"
        trainer.context.say(f"WARNING: compile = true has no effect together with {other}.")
    elif regions == 0:
        trainer.context.say("WARNING: compile = true has no effect: there is nothing to compile in this network.")
    else:
        trainer.context.say(
            f"Parts of the network that are compiled in the first minibatch (compile = true): {regions}."
        )


def _named(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    return [(n.name, n.op) for n in nodes]

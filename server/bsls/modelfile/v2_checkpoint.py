"""Checkpoints of trainings with the CNTK v2 library (`<model>.ckp`): what its learners need to go on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from bsls.finding import BsError
from bsls.modelfile.dictionary import HELP, HeldWeights, read_dictionary
from bsls.modelfile.weights import StoredWeights


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rates by the sample from which they count; each is for `minibatch` samples, 0: whatever a minibatch has."""

    rates: dict[int, float]
    minibatch: int


@dataclass(frozen=True, slots=True)
class Learner:
    """State of one learner. `gradients` are in the order of its parameters, which the file does not name; with plain
    SGD each is a single number. `sweeps` is None in old files.
    """

    samples: int
    minibatches: int
    sweeps: int | None
    schedule: Schedule
    gradients: list[HeldWeights | StoredWeights]


@dataclass(frozen=True, slots=True)
class TrainerCheckpoint:
    """What a trainer saves beside its model; `workers` is the number of those of a distributed training, else 0."""

    learners: list[Learner]
    workers: int


def read_trainer_checkpoint(path: str | os.PathLike[str]) -> TrainerCheckpoint:
    """Reads a checkpoint; raises BsError (rule `model-file`) for what is none, or damaged."""
    path = os.fspath(path)
    values = read_dictionary(path, "CNTK v2 checkpoint")
    try:
        learners = [_learner(learner) for learner in values["Learners"]]
        external = {} if "Version" in values else values.get("ExternalState", {})
        by_rank = all(rank.isdigit() and isinstance(state, dict) for rank, state in external.items())
        workers = values.get("DistributedState", external if by_rank else {})
        return TrainerCheckpoint(learners, len(workers))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BsError(
            "model-file",
            f"'{path}' cannot be read as a checkpoint of the CNTK v2 library: a value is missing or of another type ({error})",
            help=HELP,
        ) from error


def _learner(values: dict[str, Any]) -> Learner:
    schedule = values["learnig_rate_schedule"]  # spelt so in files
    old = schedule["version"] == 1
    return Learner(
        samples=int(values["sample_count"]),
        minibatches=int(values["minibatchCount"]),
        sweeps=values.get("sweepCount"),
        schedule=Schedule(
            {int(sample): float(rate) for sample, rate in schedule["schedule"].items()},
            1 - int(schedule["unit"]) if old else int(schedule["ref_mb_size"]),
        ),
        gradients=_gradients(values),
    )


def _gradients(values: dict[str, Any]) -> list[HeldWeights | StoredWeights]:
    """A vector of arrays; before version 2 an array for each parameter, under its identifier."""
    found = values.get("smoothed_gradients", list(values.values()))
    return [array for array in found if isinstance(array, (HeldWeights, StoredWeights))]

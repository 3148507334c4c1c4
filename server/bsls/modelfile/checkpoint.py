"""Checkpoints of a training run (`<model>.ckp`): what the learner needs, beside the model, to go on.

The file names no parameter: `gradients` and `counts` are in the order of the learnable parameters below the first
criterion node, sorted by name with capitals before small letters (plain code-unit order).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bsls.finding import BsError
from bsls.modelfile.atomic import atomic_file
from bsls.modelfile.binary import BinaryReader, BinaryWriter, reading
from bsls.modelfile.weights import StoredMatrix, StoredWeights, read_matrix, write_matrix

if TYPE_CHECKING:
    import numpy as np

VERSION = 3
"""The version of checkpoints that is written, and the newest that is read."""


class IsCheckpoint(BsError):
    """A checkpoint, of either generation, where a model was expected."""

    def __init__(self, path: str) -> None:
        super().__init__(
            "model-file",
            f"'{path}' is a training checkpoint, not a CNTK model",
            help="the model has the same name without '.ckp'",
        )


_HELP = "copy it again, or delete it: training then goes on from the model, with its momentum lost"


@dataclass(frozen=True, slots=True)
class BestCriterion:
    """The least value of a criterion so far and its epoch (from 0); never best: the greatest double and -1."""

    value: float
    epoch: int


@dataclass(slots=True)
class Checkpoint:
    """State of a learner after an epoch.

    `learning_rate` is per sample, `previous_criterion` the epoch's training criterion per sample. A gradient state is
    a float32 or float64 array of two dimensions, the reverse of the stored ones: a parameter whose matrix is n x m has
    (m, n), with adam and fsAdaGrad (2m, n) (averaged squares, then smoothed gradient), with rmsProp (3m, n); reshaped
    to the parameter's reversed dimensions each part is in place. `counts` has a number for each, or is None in old
    files (then each is the minibatch size), as `minibatch_size` is (then it is the configured one). `criteria` is
    there if the run saves the best model per criterion, in the order of the sorted criterion names.
    """

    samples_seen: int
    learning_rate: float
    previous_criterion: float
    minibatch_size: int | None = None
    gradients: list[np.ndarray] = field(default_factory=list)
    counts: list[float] | None = None
    criteria: list[BestCriterion] | None = None


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint; raises BsError (rule `model-file`) for what is none, damaged, or of a later version."""
    path = os.fspath(path)
    with reading(path, "training checkpoint", _HELP) as reader:
        if not (reader.next_is("BCKP") or reader.next_is("BVersion")):
            raise reader.error("does not begin like one")
        reader.at = 0
        if reader.next_is("BVersion"):
            version = reader.u64()
            reader.marker("EVersion")
            if version > VERSION:
                raise BsError(
                    "model-file",
                    f"'{path}' is a checkpoint of version {version}, later than version {VERSION} of CNTK 2.7",
                    help="delete it: training then goes on from the model, with its momentum lost",
                )
        reader.marker("BCKP")
        checkpoint, matrices = _read_state(reader)
        checkpoint.gradients = [_values(path, reader, m) for m in matrices]
        return checkpoint


def _read_state(reader: BinaryReader) -> tuple[Checkpoint, list[StoredMatrix]]:
    reader.part = "the learning rate"
    reader.marker("BLearnRate")
    checkpoint = Checkpoint(reader.u64(), reader.f64(), reader.f64())
    reader.marker("ELearnRate")
    reader.part = "the minibatch size"
    if reader.next_is("BMinibatchSize"):
        checkpoint.minibatch_size = reader.u64()
        reader.marker("EMinibatchSize")
    reader.part = "the gradients"
    reader.marker("BGradient")
    matrices: list[StoredMatrix] = []
    while not reader.next_is("EGradient"):
        reader.part = f"gradient {len(matrices) + 1}"
        matrices.append(read_matrix(reader))
    reader.part = "the counts"
    if reader.next_is("BCount"):
        checkpoint.counts = [reader.f64() for _ in matrices]
        reader.marker("ECount")
    reader.part = "the criteria"
    if reader.next_is("BCriteria"):
        count = reader.i32()
        if not 0 <= count * 12 <= reader.left:
            raise reader.error(f"has a count of {count} criteria")
        checkpoint.criteria = [BestCriterion(reader.f64(), reader.i32()) for _ in range(count)]
        reader.marker("ECriteria")
    reader.part = "the end mark"
    reader.marker("ECKP")
    return checkpoint, matrices


def _values(path: str, reader: BinaryReader, matrix: StoredMatrix) -> np.ndarray:
    dims = (matrix.rows, matrix.cols)
    return StoredWeights(path, matrix.offset, dims, matrix.element_size, reader.stamp).array()


def write_checkpoint(checkpoint: Checkpoint, path: str | os.PathLike[str]) -> None:
    """Writes a checkpoint of version 3, whole or not at all; float64 gradients in 8 bytes an element, others in 4.

    Raises BsError (rule `file-write`) where the system refuses; a checkpoint that was there is then unchanged.
    """
    if checkpoint.counts is not None and len(checkpoint.counts) != len(checkpoint.gradients):
        raise ValueError("a checkpoint has one count for each gradient")
    with atomic_file(path) as file:
        writer = BinaryWriter(file)
        writer.marker("BVersion")
        writer.u64(VERSION)
        writer.marker("EVersion")
        writer.marker("BCKP")
        writer.marker("BLearnRate")
        writer.u64(checkpoint.samples_seen)
        writer.f64(checkpoint.learning_rate)
        writer.f64(checkpoint.previous_criterion)
        writer.marker("ELearnRate")
        if checkpoint.minibatch_size is not None:
            writer.marker("BMinibatchSize")
            writer.u64(checkpoint.minibatch_size)
            writer.marker("EMinibatchSize")
        writer.marker("BGradient")
        for values in checkpoint.gradients:
            cols, rows = values.shape
            write_matrix(writer, values, rows, cols, 8 if values.dtype.itemsize == 8 else 4)
        writer.marker("EGradient")
        if checkpoint.counts is not None:
            writer.marker("BCount")
            for count in checkpoint.counts:
                writer.f64(count)
            writer.marker("ECount")
        if checkpoint.criteria is not None:
            writer.marker("BCriteria")
            writer.i32(len(checkpoint.criteria))
            for best in checkpoint.criteria:
                writer.f64(best.value)
                writer.i32(best.epoch)
            writer.marker("ECriteria")
        writer.marker("ECKP")


__all__ = ["VERSION", "BestCriterion", "Checkpoint", "IsCheckpoint", "read_checkpoint", "write_checkpoint"]

"""What bsls adds to a minibatch: gradients and update of the dense network of `workloads/mlp.cntk`, 256 samples, beside the
same torch operations written out by hand, in turns in one process.

Goal: less than 5 % more.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from pairs import in_turns
from torch import Tensor
from torch.nn import functional
from workloads import data

from bsls.project.project import Project
from bstorch.actions.common import required_section
from bstorch.actions.train import sgd_settings
from bstorch.allocation import keep_freed_memory
from bstorch.kernels.base import Environment
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch
from bstorch.readers.open import open_reader
from bstorch.training.learners.base import Learner
from bstorch.training.learners.choice import learner_of

CONFIG = Path(__file__).resolve().parent / "workloads" / "mlp.cntk"
ROUNDS = 500
SIZE = 256
RATE = 0.02 / SIZE
MOMENTUM = 0.9


def prepared(folder: str) -> tuple[Program, Learner, Minibatch]:
    """The network compiled as for training, its learner, and a minibatch as the reader gives it."""
    data.write(Path(folder), "mlp", SIZE)
    project = Project([f"configFile={CONFIG}", f"dataDir={folder}"])
    command = project.commands()[0]
    network = project.network(command).network
    assert network is not None
    parameters = Parameters(network)
    criterion = network.groups["criterion"][0]
    program = Program(network, [criterion], parameters, Environment(training=True), criterion)
    settings = sgd_settings(command.section, command.precision)
    learner = learner_of(settings, network, program.learnable, [parameters[n] for n in program.learnable])
    reader = open_reader(required_section(command.section, "reader"))
    reader.open()
    return program, learner, next(iter(reader.minibatches(0, None, SIZE)))


class ByHand:
    """The same network and update, from the same parameters on."""

    def __init__(self, program: Program, minibatch: Minibatch) -> None:
        self.parameters = [program.parameters[n].detach().clone().requires_grad_() for n in program.learnable]
        self.states = [torch.zeros_like(p, requires_grad=False) for p in self.parameters]
        x, y = minibatch.values["x"], minibatch.values["y"]
        assert isinstance(x, Tensor) and isinstance(y, SparseBatch)
        self.x, self.y = x, y.indices

    def gradients(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The criterion and its gradients."""
        w1, b1, w2, b2, w3, b3 = self.parameters
        h = torch.addmm(b1, self.x * 0.1, w1).relu_()
        h = torch.addmm(b2, h, w2).relu_()
        loss = functional.cross_entropy(torch.addmm(b3, h, w3), self.y, reduction="sum")
        return loss, torch.autograd.grad(loss, self.parameters)

    def minibatch(self) -> None:
        """Gradients and update."""
        _, gradients = self.gradients()
        with torch.no_grad():
            torch._fused_sgd_(
                self.parameters, list(gradients), self.states, weight_decay=0.0, momentum=MOMENTUM, lr=1.0,
                dampening=1.0 - (1.0 - MOMENTUM) * RATE, nesterov=False, maximize=False, is_first_step=False,
            )  # fmt: skip


def seconds(work: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return measure


def main() -> None:
    keep_freed_memory()  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        program, learner, minibatch = prepared(folder)
    by_hand = ByHand(program, minibatch)
    for found, expected in zip(program.gradients(minibatch)[1], by_hand.gradients()[1], strict=True):
        torch.testing.assert_close(found, expected)

    def ours() -> None:
        _, gradients = program.gradients(minibatch)
        learner.step(gradients, SIZE, RATE, MOMENTUM ** (1 / SIZE))

    mine, other = (median(times) for times in in_turns(seconds(ours), seconds(by_hand.minibatch), ROUNDS))
    print(
        f"A minibatch of {SIZE} samples of a dense network, {torch.get_num_threads()} threads: "
        f"bsls {1e6 * mine:.0f} us, by hand {1e6 * other:.0f} us; "
        f"{1e6 * (mine - other):.0f} us or {100 * (mine / other - 1):.1f} % more   (goal 5 %)"
    )


if __name__ == "__main__":
    main()

"""Truncated backpropagation in whole runs: what recurrences know of the past is carried over; gradients are cut."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from bsls.project.project import Project
from bstorch.main import Runtime

CONFIG = """
command = train:test ; precision = "double" ; deviceId = -1 ; traceLevel = 1 ; out = "out" ; steps = 4 ; cut = "true"
reader = {
    deserializers = ([
        type = "CNTKTextFormatDeserializer" ; module = "CNTKTextFormatReader" ; file = "data.txt"
        input = [ x = [ dim = 2 ; format = "dense" ] ; y = [ dim = 2 ; format = "sparse" ] ]
    ]) ; truncated = $cut$ ; truncationLength = $steps$
}
modelPath = "$out$/m"
train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {2}
        h = NETWORK
        z = ParameterTensor {(2:3)} * h
        ce = CrossEntropyWithSoftmax (y, z) ; errs = ClassificationError (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 2 ; minibatchSize = 12 ; learningRatesPerSample = 0.1 ; momentumAsTimeConstant = 20 }
}
test = { action = "test" ; minibatchSize = $size$ }
size = 12
"""
NETWORKS = [
    "Tanh (ParameterTensor {(3:2)} * x + ParameterTensor {(3:3)} * PastValue (3, h, timeStep = 2))",
    "RecurrentLSTMLayer {3} (x)",
    "BS.RNNs.RecurrentLSTMP (3, x, cellDim = 4, inputDim = 2).h",
    "ParameterTensor {(3:2)} * (x + PastValue (2, x) + PastValue (2, x, timeStep = 7))",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    numbers = random.Random(2)
    lines = [
        f"{s} |x {numbers.uniform(-1, 1):.3f} {numbers.uniform(-1, 1):.3f} |y {numbers.randint(0, 1)}:1"
        for s in range(9)
        for _ in range(numbers.choice((1, 3, 4, 8, 17)))
    ]
    (tmp_path / "data.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, network: str, *arguments: str) -> list[str]:
    """The figures of the end of each epoch, and of the test."""
    (folder / "c.cntk").write_text(CONFIG.replace("NETWORK", network))
    log = io.StringIO()
    Runtime(log).run(Project(["configFile=c.cntk", *arguments], foresee=False))
    lines = [line for line in log.getvalue().splitlines() if line.startswith(("Finished", "Final"))]
    return [line.partition("]: ")[2].partition("; epochTime")[0] for line in lines]


@pytest.mark.parametrize("network", NETWORKS)
def test_pieces_of_sequences_give_the_values_of_the_whole(folder, network):
    whole = run(folder, network)[-1]
    for arguments in (
        ("cut=false",),
        ("steps=1",),
        ("steps=3", "size=3"),
        ("steps=5",),
        ("steps=100", "size=900"),
        ("numSubminibatches=3",),
        ("maxSamplesInRAM=5", "cut=false"),
    ):
        assert run(folder, network, "command=test", *arguments)[-1] == whole


def test_gradients_end_where_the_pieces_do(folder):
    long = run(folder, NETWORKS[0], "steps=100", "out=long")
    assert long != run(folder, NETWORKS[0], "steps=2", "out=short")


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(folder):
    whole = run(folder, NETWORKS[1], "command=train", "out=whole")
    first = run(folder, NETWORKS[1], "command=train", "train=[SGD=[maxEpochs=1]]")
    log = io.StringIO()
    Runtime(log).resume(Project(["configFile=c.cntk", "command=train"], foresee=False), max_epochs=2)
    assert first == whole[:1]
    assert (folder / "out/m").read_bytes() == (folder / "whole/m").read_bytes()

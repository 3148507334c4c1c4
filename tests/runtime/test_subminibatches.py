"""Minibatches in parts: the same training as in one, except where statistics and random numbers are of a part."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from bsls.project.project import Project
from bstorch.actions.common import loaded_network
from bstorch.main import Runtime
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.readers.base import Minibatch, SparseBatch
from bstorch.training.subminibatches import split

CONFIG = """
command = train ; precision = "float" ; deviceId = -1 ; traceLevel = 1 ; parts = "numSubminibatches = 1" ; out = "out"
train = {
    action = "train" ; modelPath = "$out$/m"
    BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {2}
        NETWORK
        ce = CrossEntropyWithSoftmax (y, z) ; errs = ClassificationError (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }
    SGD = {
        maxEpochs = 2 ; minibatchSize = 24 ; learningRatesPerSample = 0.1 ; momentumAsTimeConstant = 20
        numMBsToShowResult = 1 ; PARTS
    }
    reader = {
        deserializers = ([
            type = "CNTKTextFormatDeserializer" ; module = "CNTKTextFormatReader" ; file = "data.txt"
            input = [ x = [ dim = 2 ; format = "dense" ] ; y = [ dim = 2 ; format = "FORMAT" ] ]
        ]) ; READER
    }
}
"""
RECURRENT = """h = Tanh (ParameterTensor {(3:2)} * x + ParameterTensor {(3:3)} * PastValue (3, h) + ParameterTensor {3})
        z = ParameterTensor {(2:3)} * h"""
NORMALIZED = "z = BatchNormalizationLayer {normalizationTimeConstant = 5} (ParameterTensor {(2:2), learningRateMultiplier = 0} * x)"
TRUNCATED = "truncated = true ; truncationLength = 4 ; randomize = false"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    numbers = random.Random(3)
    for name, one in (("dense", ("1 0", "0 1")), ("sparse", ("0:1", "1:1"))):
        lines = [
            f"{s} |x {numbers.uniform(-1, 1):.3f} {numbers.uniform(-1, 1):.3f} |y {one[numbers.random() < 0.5]}"
            for s in range(20)
            for _ in range(numbers.randint(1, 9))
        ]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, network: str, parts: str, reader: str = "randomize = false", form: str = "dense") -> str:
    text = CONFIG.replace("NETWORK", network).replace("PARTS", parts).replace("READER", reader).replace("FORMAT", form)
    (folder / "c.cntk").write_text(text.replace("data.txt", f"{form}.txt"))
    log = io.StringIO()
    Runtime(log).run(Project(["configFile=c.cntk", "makeMode=false"], foresee=False))
    return log.getvalue()


def criteria(log: str) -> list[list[float]]:
    """Criterion and its samples in each minibatch."""
    found = [
        line.partition("ce = ")[2].split(";")[0] for line in log.splitlines() if line.startswith((" Epoch", "Fin"))
    ]
    return [[float(word) for word in line.split(" * ")] for line in found]


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("reader", ["randomize = false", TRUNCATED])
@pytest.mark.parametrize("parts", ["numSubminibatches = 2", "numSubminibatches = 3", "maxSamplesInRAM = 7"])
def test_a_recurrence_learns_the_same_in_parts(folder, parts, reader, form):
    whole = run(folder, RECURRENT, "", reader, form)
    split = run(folder, RECURRENT, parts, reader, form)
    assert np.allclose(criteria(split), criteria(whole), rtol=1e-5)
    assert len(criteria(whole)) > 6


def test_batch_normalization_takes_the_statistics_of_a_part(folder):
    lines = [f"|x {i % 5} {i % 7} |y {i % 2} {1 - i % 2}" for i in range(10)]
    (folder / "dense.txt").write_text("\n".join(lines) + "\n")
    run(folder, NORMALIZED, "numSubminibatches = 2")
    network = loaded_network("out/m")
    parameters = Parameters(network, torch.device("cpu"))
    node = next(n for n in network if n.op == "BatchNormalization")
    weights = parameters[node.inputs[0].inputs[0]].detach().double().numpy()
    x = np.array([[i % 5, i % 7] for i in range(10)]) @ weights
    mean, share = np.zeros(2), 1.0
    for part in [x[:5], x[5:]] * 2:
        mean += share * (part.mean(0) - mean)
        share = 1 - np.exp(-5 / 5)
    assert np.allclose(parameters[node.inputs[3]].numpy(), mean, atol=1e-5)


def test_dropout_draws_for_one_part_after_the_other(folder):
    network = "z = ParameterTensor {(2:2)} * Dropout (x)"
    rate = "dropoutRate = 0.5"
    whole = criteria(run(folder, network, rate))
    assert criteria(run(folder, network, f"{rate} ; numSubminibatches = 2")) != whole
    (folder / "dense.txt").write_text("".join(f"|x {i} {-i} |y 1 0\n" for i in range(6)))
    # Of sequences with one frame, the columns of the parts follow one another as in the whole: the same numbers.
    assert np.allclose(
        criteria(run(folder, network, f"{rate} ; numSubminibatches = 3")), criteria(run(folder, network, rate))
    )


def test_the_log_says_so(folder):
    assert "Starting minibatch loop, with 2 subminibatch." in run(folder, RECURRENT, "numSubminibatches = 2")
    assert "Starting minibatch loop, with maximum 7 samples in RAM." in run(folder, RECURRENT, "maxSamplesInRAM = 7")
    assert "Starting minibatch loop." in run(folder, RECURRENT, "maxSamplesInRAM = 24")


def test_parts_are_whole_rows_of_all_streams():
    x, y = MinibatchLayout.packed([3, 1, 2, 3]), MinibatchLayout.packed([1, 2, 1, 1])
    assert x.row.tolist() == [0, 1, 1, 2]
    one_hot = SparseBatch(torch.arange(5), torch.ones(5), torch.arange(6), 5)
    minibatch = Minibatch({"x": torch.arange(9.0), "y": one_hot}, {"x": x, "y": y}, 9, ["a", "b", "c", "d"])
    (_, first), (_, second) = split(minibatch, 2)
    assert (first.keys, second.keys) == (["a"], ["b", "c", "d"])
    found = {}
    for part in (first, second):
        layout, values = part.layouts["x"], part.values["x"]
        for i, key in enumerate(part.keys):
            found[key] = values[
                layout.packed_places(np.full(layout.lengths[i], i), np.arange(layout.lengths[i]))
            ].tolist()
    whole = {
        k: x.packed_places(np.full(n, i), np.arange(n))
        for i, (k, n) in enumerate(zip("abcd", [3, 1, 2, 3], strict=True))
    }
    assert found == {k: places.astype(float).tolist() for k, places in whole.items()}
    assert [len(p.values["y"].indices) for p in (first, second)] == [1, 4]
    assert list(split(minibatch, 1)) == [(0, minibatch)]
    assert len(list(split(minibatch, 9))) == 3

"""`adapt` towards the original model: against the formulas, what is refused; settings of training that do nothing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.project.project import Project
from bstorch.actions.common import loaded_network
from bstorch.main import Runtime
from bstorch.program.parameters import Parameters

CONFIG = """
precision = "double" ; deviceId = -1 ; traceLevel = 1 ; command = base:adapt
reader = { readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = false
           input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "sparse" } } }
base = {
    action = "train" ; modelPath = "base.dnn"
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        z = ParameterTensor {(2:3)} * x
        p = Softmax (z)
        ce = CrossEntropyWithSoftmax (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; outputNodes = (z : p)
    }
    SGD = { maxEpochs = 2 ; minibatchSize = 5 ; learningRatesPerSample = 0.2 ; momentumPerMB = 0 }
}
adapt = {
    action = "adapt" ; modelPath = "adapted.dnn" ; origModelFileName = "base.dnn" ; refNodeName = "p"
    SGD = { maxEpochs = 3 ; minibatchSize = 4 ; learningRatesPerSample = 0.1 ; momentumPerMB = 0
            adaptationRegType = "KL" ; adaptationRegWeight = 0.6 ; MORE }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = [f"|x {i % 5 / 5} {i % 3 / 3} {-i % 7 / 9} |y {i % 2}:1" for i in range(10)]
    (tmp_path / "data.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *changes: tuple[str, str], arguments: tuple[str, ...] = ()) -> str:
    text = CONFIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "c.cntk").write_text(text.replace("MORE", ""))
    log = io.StringIO()
    Runtime(log).run(Project(["configFile=c.cntk", *arguments], foresee=False))
    return log.getvalue()


def weights(path: str) -> np.ndarray:
    network = loaded_network(path)
    (node,) = (n for n in network if n.is_parameter)
    return Parameters(network)[node].numpy().T


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("more", ["", "numSubminibatches = 2"])
def test_targets_are_mixed_with_what_the_original_model_says(folder, more):
    log = run(folder, ("MORE", more))
    assert "Load reference Network From the original model file base.dnn." in log
    x = np.array([[i % 5 / 5, i % 3 / 3, -i % 7 / 9] for i in range(10)])
    y = np.eye(2)[np.arange(10) % 2]
    original = weights("base.dnn")
    w = original.copy()
    criteria = []
    for _ in range(3):
        total = 0.0
        for a in (0, 4, 8):
            targets = 0.4 * y[a : a + 4] + 0.6 * softmax(x[a : a + 4] @ original.T)
            p = softmax(x[a : a + 4] @ w.T)
            total -= (targets * np.log(p)).sum()
            w -= np.float32(0.1) * (p - targets).T @ x[a : a + 4]
        criteria.append(total / 10)
    assert np.allclose(weights("adapted.dnn"), w, atol=1e-12)
    shown = [float(line.partition("ce = ")[2].split()[0]) for line in log.splitlines() if line.startswith("Finished")]
    assert np.allclose(shown[-3:], criteria, atol=1e-8)


def test_resume_keeps_to_the_original_model(folder):
    run(folder)
    whole = weights("adapted.dnn")
    run(folder, ('"adapted.dnn"', '"again.dnn"'), ("maxEpochs = 3", "maxEpochs = 1"), arguments=("command=adapt",))
    (folder / "c.cntk").write_text(CONFIG.replace("MORE", "").replace('"adapted.dnn"', '"again.dnn"'))
    Runtime(io.StringIO()).resume(
        Project(["configFile=c.cntk", "command=adapt"], foresee=False), start="again.dnn", to="to"
    )
    assert np.allclose(weights("to/again.dnn"), whole, atol=1e-12)


def test_a_weight_of_0_is_no_regularisation(folder):
    log = run(folder, ("adaptationRegWeight = 0.6", "adaptationRegWeight = 0"), ('; refNodeName = "p"', ""))
    assert "Load reference Network" not in log


@pytest.mark.parametrize(
    ("old", "new", "rule", "message"),
    [
        ('; refNodeName = "p"', "", "missing-key", "needs a refNodeName"),
        ('"p"', '"nothing"', "config-value", "has no such node"),
        ('"p"', '"ce"', "config-value", "has the shape"),
        ('"p"', '"x"', "config-value", "has the shape"),
    ],
)
def test_what_does_not_do(folder, old, new, rule, message):
    with pytest.raises(BsError) as caught:
        run(folder, (old, new))
    assert caught.value.finding.rule == rule
    assert message in str(caught.value)
    assert caught.value.finding.span is not None
    assert not (folder / "adapted.dnn.0").exists()


def test_train_says_that_it_does_not_adapt(folder):
    log = run(
        folder, ("momentumPerMB = 0 }", "momentumPerMB = 0 ; adaptationRegType = KL }"), arguments=("command=base",)
    )
    assert "WARNING: adaptationRegType has no effect on action train, only on adapt." in log


def test_parallel_training_with_one_worker_is_training_without_it(folder):
    block = 'ParallelTrain = { parallelizationMethod = "DataParallelSGD" }'
    plain = run(folder, ("momentumPerMB = 0 }", f"momentumPerMB = 0 ; {block} }}"), arguments=("command=base",))
    assert "parallelTrain option is not enabled. ParallelTrain config will be ignored." in plain
    before = (folder / "base.dnn").read_bytes()
    parallel = run(
        folder,
        ("momentumPerMB = 0 }", f"momentumPerMB = 0 ; {block} }}"),
        arguments=("command=base", "parallelTrain=true", "makeMode=false"),
    )
    assert "Parallel training (parallelizationMethod = DataParallelSGD) with one worker" in parallel
    assert "ignored" not in parallel
    assert (folder / "base.dnn").read_bytes() == before
    log = run(folder, arguments=("command=base", "parallelTrain=true", "makeMode=false"))
    assert "(parallelizationMethod = none) with one worker" in log
    assert "parallel" not in run(folder, arguments=("command=base", "parallelTrain=false", "makeMode=false")).lower()

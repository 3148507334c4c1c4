"""`gradientcheck`: right gradients pass and change nothing, wrong ones end the run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.project.project import Project
from bstorch.main import Runtime
from bstorch.training.gradient_check import tolerance

CONFIG = """
command = train ; precision = "double" ; deviceId = -1 ; traceLevel = 1 ; check = "true" ; sigFigs = 6
train = {
    action = "train" ; modelPath = "$check$/m"
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        W = ParameterTensor {(2:4)} ; V = ParameterTensor {(4:3)}
        z = NETWORK
        ce = CrossEntropyWithSoftmax (y, z) ; errs = ClassificationError (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }
    SGD = {
        maxEpochs = 2 ; minibatchSize = 6 ; learningRatesPerSample = 0.05 ; momentumAsTimeConstant = 20
        numMBsToShowResult = 1 ; dropoutRate = 0.5 ; gradientCheck = $check$
    }
    reader = { readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = false
               input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } } }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = [f"{i // 3} |x {i % 5 / 5} {i % 3 / 3} {-i % 7 / 9} |y {i % 2} {1 - i % 2}" for i in range(12)]
    (tmp_path / "data.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, network: str, *arguments: str) -> str:
    (folder / "c.cntk").write_text(CONFIG.replace("NETWORK", network))
    log = io.StringIO()
    Runtime(log).run(Project(["configFile=c.cntk", *arguments], foresee=False))
    return log.getvalue()


@pytest.mark.parametrize(
    "network",
    [
        "W * Sigmoid (V * x)",
        "W * Dropout (Tanh (V * x))",
        "W * BatchNormalizationLayer {} (V * x)",
        "W * RecurrentLSTMLayer {4} (V * x)",
    ],
)
def test_right_gradients_pass_and_the_training_is_the_same(folder, network):
    checked = run(folder, network)
    assert "###### dW######" in checked
    assert "Numeric gradient" not in checked
    rest = [line for line in run(folder, network, "check=false").splitlines() if "ce = " in line]
    assert [
        line.partition(" time")[0].partition("epochTime")[0] for line in checked.splitlines() if "ce = " in line
    ] == [line.partition(" time")[0].partition("epochTime")[0] for line in rest]
    assert (folder / "true/m").read_bytes() == (folder / "false/m").read_bytes()


def test_wrong_gradients_end_the_run(folder):
    with pytest.raises(BsError) as caught:
        run(folder, "W * (StopGradient (Sigmoid (V * x)) + Tanh (V * x))")
    message = str(caught.value)
    assert caught.value.finding.rule == "gradient-check"
    assert "the gradient of 'ce' for V[" in message
    assert "in minibatch 1" in message
    assert caught.value.finding.span.text == "$check$"
    assert not (folder / "true/m").exists()


def test_fewer_digits_let_more_pass(folder):
    stopped = "W * Tanh (V * x) + Constant (1e-4) .* StopGradient (W * Tanh (V * x))"
    assert "Finished" in run(folder, stopped, "sigFigs=2")
    with pytest.raises(BsError):
        run(folder, stopped, "makeMode=false")


def test_how_far_numbers_may_differ():
    assert tolerance(0.5, 0.25, 6) == 1e-6
    assert tolerance(123.0, 124.0, 6) == 1e-3
    assert tolerance(0.0, 5.0, 6) == 1e-6

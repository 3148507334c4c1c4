"""Actions on models that are there: cv, plot, SVD, dumpNodes, bnstat, and write with gradients."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from bsls.check.run import check_config
from bsls.finding import BsError, Severity
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bsls.project.files import Files
from bsls.project.project import Project
from bstorch.actions.decompose import rank_to_keep
from bstorch.actions.dump_nodes import node_text
from bstorch.actions.plot import dot_statements
from bstorch.main import Runtime
from small_project import changed, make_project


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config(section: str, *replacements: tuple[str, str]) -> None:
    make_project(Path(), changed(*replacements) + f"\nUse = {section}\n")


def run(commands: str, events: str | None = None) -> str:
    log = io.StringIO()
    Runtime(log, events).run(Project(["configFile=c.cntk", f"command={commands}"], foresee=False))
    return log.getvalue()


def fails(commands: str) -> str:
    """`place: message` of the error of a run, which the check must find as well unless it needs the data."""
    with pytest.raises(BsError) as raised:
        run(commands)
    finding = raised.value.finding
    return f"{finding.span}: {finding.message}"


def errors(commands: str = "Use") -> list[str]:
    found = check_config(["configFile=c.cntk", f"command={commands}"], Files())[0]
    return [f"{f.span}: {f.message}" for f in found if f.severity == Severity.ERROR]


# --- cv --------------------------------------------------------------------------------------------------------------


def test_epochs_are_compared_without_a_final_model() -> None:
    config(
        '{ action = "cv" ; crossValidationInterval = 1:1:3 }',
        ("maxEpochs = 3", "maxEpochs = 3 ; keepCheckPointFiles = true"),
    )
    run("Train")
    Path("models/m.dnn").unlink()
    assert errors() == []
    log = run("Use", "events.jsonl")
    assert (
        log.index("Model models/m.dnn.1 --> ")
        < log.index("Model models/m.dnn.2 --> ")
        < log.index("m.dnn.3 does not exist.")
    )
    assert "Based on Err[0]: Best model = models/m.dnn.2 with min err " in log
    results = [e for e in map(json.loads, Path("events.jsonl").read_text().splitlines()) if e["event"] == "result"]
    assert [e["model"] for e in results] == ["models/m.dnn.1", "models/m.dnn.2"]


def test_no_model_to_compare() -> None:
    config(
        '{ action = "cv" ; crossValidationInterval = 1:1:3 }', ('modelPath = "models/m.dnn"', 'modelPath = "no.dnn"')
    )
    assert fails("Use") == "c.cntk:2:13: there is neither a model of the epochs 1:1:3 nor 'no.dnn'"


@pytest.mark.parametrize("interval", ["1:2", "1:0:3", "3:1:1", "1:a:3"])
def test_wrong_intervals(interval: str) -> None:
    config(f'{{ action = "cv" ; crossValidationInterval = {interval} }}')
    (error,) = errors()
    assert error.startswith("c.cntk:23:") and fails("Use").startswith("c.cntk:23:")


def test_a_node_that_the_models_do_not_have() -> None:
    config('{ action = "cv" ; crossValidationInterval = 1:1:2 ; evalNodeNames = "ce:er" }')
    (error,) = errors("Train:Use")
    assert error.endswith(": the models have no node 'er'") and fails("Train:Use") == error


# --- plot ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `dot` that copies its file, or fails."""
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = fail ] && exit 3\ncp "$1" "$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.mark.usefixtures("graphviz")
def test_a_picture_is_made_by_another_program() -> None:
    config('{ action = "plot" ; outputDotFile = "o/m.dot" ; outputFile = "o/m.txt" ; renderCmd = "dot <IN> <OUT>" }')
    log = run("Train:Use")
    assert "Executing third-party tool for rendering dot:\ndot o/m.dot o/m.txt\nDone." in log
    assert Path("o/m.txt").read_text() == Path("o/m.dot").read_text() != ""


@pytest.mark.usefixtures("graphviz")
def test_names_of_files_are_no_commands() -> None:
    config(
        '{ action = "plot" ; outputDotFile = "o/m.dot" ; outputFile = "o/a b;touch c" ; renderCmd = "dot <IN> <OUT>" }'
    )
    run("Train:Use")
    assert Path("o/a b;touch c").exists() and not Path("c").exists()


@pytest.mark.parametrize("program", ["cp <IN> stolen", "sh -c 'touch stolen'", "./dot <IN> stolen"])
def test_a_config_starts_no_other_programs(program: str) -> None:
    config(f'{{ action = "plot" ; outputFile = "m.png" ; renderCmd = "{program}" }}')
    assert "as a config may start programs of Graphviz only: " in run("Train:Use")
    assert not Path("stolen").exists() and Path("models/m.dnn.dot").exists()


def test_a_program_that_is_not_there_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    config('{ action = "plot" ; outputFile = "m.png" ; renderCmd = "dot -Tpng -o <OUT> <IN>" }')
    assert "WARNING: 'dot' cannot be started: " in run("Train:Use")


@pytest.mark.usefixtures("graphviz")
def test_a_program_that_fails_is_no_error() -> None:
    config('{ action = "plot" ; renderCmd = "dot fail" }')
    assert "WARNING: this command ended with the exit code 3." in run("Train:Use")
    assert Path("models/m.dnn.dot").exists()


def test_a_picture_needs_a_program() -> None:
    config('{ action = "plot" ; outputFile = "m.png" }')
    expected = "c.cntk:23:40: outputFile = m.png: without a renderCmd nothing draws this picture"
    assert errors() == [expected] and fails("Train:Use") == expected


def test_statistics_have_a_style_of_their_own() -> None:
    network, x = images()
    mean = Node("Mean", "m", [x], {"hasComputed": True}, value=ArrayWeights(np.zeros((5, 4, 3), np.float32)))
    network.add(mean)
    validate(network)
    text = "".join(dot_statements(network))
    assert 'fillcolor= limegreen ] ;"m" ; \n' in text and '"x" -> "m"' not in text  # no special node needs it
    assert ' "m" [ label = "m [3 x 4 x 5]\\nMean" ] ;' in text


# --- SVD -------------------------------------------------------------------------------------------------------------

DECOMPOSE = (
    '{ action = "SVD" ; outputModelPath = "s.dnn" ; NodeNameRegex = "W|z.W" ; KeepRatio = 0.99 ; AlignedSize = 1 }'
)


def array(network: Network, name: str) -> np.ndarray:
    value = network[name].value
    assert value is not None
    return value.array().T


def test_the_product_is_what_was_there() -> None:
    config(f'{DECOMPOSE}\nSmall = {{ action = "test" ; modelPath = "s.dnn" }}')
    run("Train:Use")
    before, after = v1.read("models/m.dnn"), v1.read("s.dnn")
    assert "z.W" not in after
    np.testing.assert_allclose(array(after, "z.W_U") @ array(after, "z.W_V"), array(before, "z.W"), atol=1e-5)
    inner = after["z.W_SVD"].inputs[1]
    assert [i.name for i in after["z.W_SVD"].inputs] == ["z.W_U", inner.name] and inner.name in before
    assert [i.name for i in inner.inputs] == ["z.W_V", "x"]
    (full,) = (line for line in run("Test").splitlines() if "Final Results" in line)
    (small,) = (line for line in run("Small").splitlines() if "Final Results" in line)
    assert full[:45] == small[:45]


def test_a_parameter_of_several_uses_becomes_a_product() -> None:
    config(DECOMPOSE, ("z = LinearLayer {2} (x)", "W = ParameterTensor {(2:3)} ; z = W * x + ReduceSum (W, axis = 2)"))
    run("Train:Use")
    before, after = v1.read("models/m.dnn"), v1.read("s.dnn")
    assert [i.name for i in after["W_SVD"].inputs] == ["W_U", "W_V"] and "W" not in after
    users = [n.name for n in after if any(i.name == "W_SVD" for i in n.inputs)]
    assert sorted(users) == sorted(n.name for n in before if any(i.name == "W" for i in n.inputs))
    assert not [f for f in validate(after).findings if f.severity == Severity.ERROR]


def test_ranks() -> None:
    values = np.array([4, 3, 2, 1], np.float32)
    ratios = {0.0: 1, 0.39: 1, 0.4: 2, 0.7: 3, 0.89: 3, 0.95: 4, 1.0: 4, 2.0: 4}
    assert {r: rank_to_keep(values, np.float32(r), 1) for r in ratios} == ratios
    assert [rank_to_keep(values, np.float32(0.1), a) for a in (2, 3, 8)] == [2, 3, 4]


def test_what_cannot_be_decomposed() -> None:
    config('{ action = "SVD" ; outputModelPath = "s.dnn" ; SVDConfig = "g.txt" }')
    Path("g.txt").write_text("z.W 0.5\nz.W\n")
    assert fails("Train:Use").endswith("SVDConfig = g.txt: 'z.W' in line 2 of this file names no group")
    Path("g.txt").write_text("(z 0.5")
    assert "'(z' is not a regular expression" in fails("Use")
    Path("g.txt").unlink()
    assert "cannot be read" in fails("Use")
    config('{ action = "SVD" ; outputModelPath = "s.dnn" ; NodeNameRegex = ".*" ; AlignedSize = 0 }')
    assert errors() == ["c.cntk:23:91: AlignedSize = 0: a number of at least 1 is expected"]
    config('{ action = "SVD" ; outputModelPath = "s.dnn" }')
    assert [e.partition(": ")[2] for e in errors()] == ["command 'Use' (SVD) has no 'NodeNameRegex'"]
    assert not Path("s.dnn").exists()


# --- dumps -----------------------------------------------------------------------------------------------------------


def images() -> tuple[Network, Node]:
    network = Network()
    x = Node("InputValue", "x", attributes={"dims": (3, 4, 5), "dynamicAxis": ""})
    network.add(x)
    return network, x


def test_old_pooling() -> None:
    network, x = images()
    attributes = {
        "windowWidth": 2, "windowHeight": 3, "horizontalSubsample": 1, "verticalSubsample": 2, "imageLayout": "HWC",
    }  # fmt: skip
    pool = Node("MaxPooling", "p", [x], attributes)
    network.add(pool)
    validate(network)
    assert node_text(pool, True, True) == (
        " \np=MaxPooling ( x ) Input[Width:4, Height:5, Channels:3]  \n"
        " PoolingWindow[Width:2, Height:3]  SubSampling[Horizontal:1, Vertical:2]\n"
        " Output[Width:3, Height:2, Channels:3]  \n TotalSizePerSample[Input:60, Output:18]  \n"
    )
    assert node_text(pool, True, False) == ""


def test_statistics() -> None:
    network = Network()
    x = Node("InputValue", "x", attributes={"dims": (2,), "dynamicAxis": ""})
    mean = Node("Mean", "m", [x], {"hasComputed": True}, value=ArrayWeights(np.array([0.5, -1], np.float32)))
    network.add(x)
    network.add(mean)
    validate(network)
    assert node_text(mean, True, True) == f" \nm=Mean ( x ) [2]   HasComputed=true \n 0.5 \n -1 \n {'#' * 68}"


# --- statistics ------------------------------------------------------------------------------------------------------

NORMALIZED = (
    "z = LinearLayer {2} (x)",
    """n = BatchNormalizationLayer {normalizationTimeConstant = 20} ; z = LinearLayer {2} (n (x))
       old = BatchNormalization (z, P (1), P (0), C (0), C (0), normalizationTimeConstant = 20, imageLayout = "CHW")
       P (v) = ParameterTensor {2, initValue = v} ; C (v) = ParameterTensor {2, initValue = v, learningRateMultiplier = 0}
       """,
)


def test_statistics_are_averages_over_what_is_seen() -> None:
    """40 samples in 4 minibatches each: means over all of them, and the average of the variances of the minibatches."""
    config(
        '{ action = "bnstat" ; minibatchSize = 10 ; itersPerNode = 4 }',
        NORMALIZED, ("(y, z)", "(y, old)"), ('file = "data.txt"', 'file = "data.txt" ; randomize = false'),
    )  # fmt: skip
    run("Train")
    trained = v1.read("models/m.dnn")
    log = run("Use")
    lower, upper = (n for n in trained.evaluation_order() if n.op == "BatchNormalization")
    assert log.index(f"Estimating Statistics --> {lower.name}") < log.index(f"Estimating Statistics --> {upper.name}")
    model = v1.read("models/m.dnn.PBN")
    x = np.array([line.split()[1:4] for line in Path("data.txt").read_text().splitlines()], float).reshape(4, 10, 3)
    np.testing.assert_allclose(array(model, lower.inputs[3].name).ravel(), x.mean((0, 1)), atol=1e-6)
    np.testing.assert_allclose(array(model, lower.inputs[4].name).ravel(), x.var(1, ddof=1).mean(0), rtol=1e-5)
    assert array(model, lower.inputs[5].name).ravel() == [40]
    scale, bias = (array(model, lower.inputs[i].name).ravel() for i in (1, 2))
    normal = scale * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) + bias
    weights = {n.name: array(model, n.name) for n in model.parameters}
    z = normal @ weights["z.W"].T + weights["z.b"].ravel()
    np.testing.assert_allclose(array(model, upper.inputs[3].name).ravel(), z.mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(array(model, upper.inputs[4].name).ravel(), z.var(1, ddof=1).mean(0), rtol=1e-4)
    for node in (model[lower.name], model[upper.name]):
        assert node.attributes["normalizationTimeConstant"] == node.attributes["blendTimeConstant"] == np.inf
    assert model[upper.name].attributes["runCount"] == 40
    for name in (lower.inputs[1].name, "z.W"):
        np.testing.assert_array_equal(array(model, name), array(trained, name))


def test_each_normalization_sees_something() -> None:
    config('{ action = "bnstat" ; itersPerNode = 0 }')
    assert errors() == ["c.cntk:23:44: itersPerNode = 0: a number of at least 1 is expected"]


# --- gradients -------------------------------------------------------------------------------------------------------

GRADIENTS = (
    '{ action = "write" ; nodeUnitTest = true ; outputPath = "g/r" ; outputNodeNames = "ce" ; minibatchSize = 100 }'
)


def test_gradients_are_slopes() -> None:
    """Through a recurrence and from a sparse input: moving a weight changes the criterion as its gradient says."""
    network = (
        "z = LinearLayer {2} (x)", "E = ParameterTensor {(2:3)} ; z = E * x + 0.5 .* PastValue (2, z, defaultHiddenActivation = 0)",
    )  # fmt: skip
    config(
        GRADIENTS,
        network,
        ('x = { dim = 3 ; format = "dense" }', 'x = { dim = 3 ; format = "sparse" }'),
        ("x = Input", "x = SparseInput"),
    )
    Path("data.txt").write_text("0 |x 0:1 2:-2 |y 1 0\n0 |x 1:1 |y 0 1\n1 |x 2:0.5 |y 1 0\n")
    run("Train")
    model = v1.read("models/m.dnn")
    run("Use")
    gradient = np.loadtxt("g/r.E.grad")
    inputs = np.loadtxt("g/r.x.grad")
    assert gradient.shape == (3, 2) and inputs.shape == (3, 3) and np.loadtxt("g/r.y.grad").shape == (3, 2)
    before = float(Path("g/r.ce").read_text())
    values = array(model, "E").copy()
    values[1, 0] += 1e-2
    v1.write(model, "models/m.dnn", {"E": values.T})
    run("Use")
    assert float(Path("g/r.ce").read_text()) - before == pytest.approx(1e-2 * gradient[0, 1], rel=0.05)


def test_gradients_are_those_of_one_node() -> None:
    config('{ action = "write" ; nodeUnitTest = true ; outputPath = "g" ; outputNodeNames = "ce:z" }')
    expected = "c.cntk:23:43: nodeUnitTest = true: gradients are those of a single node, but 2 are written"
    assert errors("Train:Use") == [expected] and fails("Train:Use") == expected


def test_keys_are_written_only_where_they_are_wanted() -> None:
    config('{ action = "write" ; outputPath = "o" ; outputNodeNames = "y" ; format = { sequencePrologue = "%k: " } }')
    run("Train:Use")
    assert Path("o.y").read_text().startswith("%k:")
    config('{ action = "write" ; outputPath = "o" ; outputNodeNames = "y" ; writeSequenceKey = true }')
    run("Use")
    config('{ action = "write" ; outputPath = "o" ; writeSequenceKey = true ; format = { sequencePrologue = "%k: " } }')
    expected = "c.cntk:23:66: writeSequenceKey = true: %k for the key of a sequence needs a reader with deserializers"
    assert errors() == [expected] and fails("Use") == expected

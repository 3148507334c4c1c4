"""`bsls model nodes`, `graph`, `verify`, `rename` and `copy-weights`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from processes import bsls

GOLDEN = Path(__file__).parents[1] / "golden" / "models"


def save(path: Path, **parameters: np.ndarray) -> None:
    """A model of parameters (`__` in a name is a dot) and the Tanh `z` of the first."""
    network = Network()
    for key, values in parameters.items():
        attributes: dict[str, object] = {"dims": tuple(reversed(values.shape)), "learningRateMultiplier": 1.0}
        name = key.replace("__", ".")
        network.add(Node("LearnableParameter", name, attributes=attributes, value=ArrayWeights(values)))
    network.add(Node("Tanh", "z", [next(iter(network))]))
    network.tag(network["z"], "output")
    v1.write(network, path)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    save(tmp_path / "a.dnn", L1__W=np.full((2, 3), 1, np.float32), L1__b=np.full(3, 2, np.float32))
    save(
        tmp_path / "b.dnn", L1__W=np.zeros((2, 3), np.float32), L1__b=np.zeros(4, np.float32), c=np.zeros(3, np.float32)
    )
    return tmp_path


def values(path: Path, name: str) -> float:
    value = v1.read(path)[name].value
    assert value is not None
    return float(value.array().max())


def test_nodes(models: Path) -> None:
    assert bsls(models, "model", "nodes", "a.dnn", "l1.?").out.splitlines() == [
        "L1.b = LearnableParameter() :  -> [3]", "L1.W = LearnableParameter() :  -> [3 x 2]"
    ]  # fmt: skip
    found = json.loads(bsls(models, "model", "nodes", "a.dnn", "--op", "tanh", "--format", "json").out)
    assert [(n["name"], n["inputs"]) for n in found] == [("z", ["L1.W"])]
    assert bsls(models, "model", "nodes", "a.dnn", "x*").code == 1


def test_graph(models: Path) -> None:
    assert bsls(models, "model", "graph", "a.dnn").out.startswith("<svg")
    assert "digraph" in bsls(models, "model", "graph", "a.dnn", "--format", "dot").out
    lines = bsls(models, "model", "graph", "a.dnn", "--format", "log").out.splitlines()
    assert "Validating --> z = Tanh (L1.W) : [3 x 2] -> [3 x 2]" in lines


def test_verify(models: Path) -> None:
    assert bsls(models, "model", "verify", "a.dnn", "b.dnn").code == 0
    save(models / "odd.dnn", W=np.array([1, np.nan, np.inf], np.float32))
    with open(models / "b.dnn", "ab") as file:
        file.write(b"more")
    (models / "cut.dnn").write_bytes((models / "a.dnn").read_bytes()[:-3])
    result = bsls(models, "model", "verify", "odd.dnn", "b.dnn", "cut.dnn", "a.dnn")
    odd, long, cut, right = result.out.splitlines()
    assert result.code == 1
    assert odd == "odd.dnn: 'W' has 2 of 3 values that are not finite numbers"
    assert long == "b.dnn: there are 4 bytes behind the end of the model"
    assert cut.startswith("cut.dnn: ") and "ends in the middle of" in cut
    assert right == "a.dnn: nothing wrong with its 3 nodes"


def test_rename(models: Path) -> None:
    assert bsls(models, "model", "rename", "a.dnn", "L1_W=L1.b", "L1.b=L1.W", "z=out", "-o", "c.dnn").code == 0
    network = v1.read(models / "c.dnn")
    assert network["out"].inputs == [network["L1.b"]] and network.groups["output"] == [network["out"]]
    assert (values(models / "c.dnn", "L1.b"), values(models / "c.dnn", "L1.W")) == (1, 2)


def test_a_renamed_axis_is_that_of_its_inputs(tmp_path: Path) -> None:
    network = Network()
    network.add(Node("DynamicAxis", "words"))
    network.add(Node("InputValue", "x", attributes={"dims": (2,), "dynamicAxis": "words"}))
    v1.write(network, tmp_path / "a.dnn")
    assert bsls(tmp_path, "model", "rename", "a.dnn", "words=letters", "-o", "a.dnn").code == 0
    assert v1.read(tmp_path / "a.dnn")["x"].attributes["dynamicAxis"] == "letters"


@pytest.mark.parametrize(
    "names, problem",
    [
        (["L1.W=Z"], "'L1.W' cannot be called 'Z': there is a node of that name"),
        (["L1.w=q", "z=Q"], "'z' cannot be called 'Q': there is a node of that name"),
        (["L1.X=q"], "'a.dnn' has no node 'L1.X'"),
        (["z"], "'z' is not of the form OLD=NEW"),
    ],
)
def test_names_that_cannot_be(models: Path, names: list[str], problem: str) -> None:
    result = bsls(models, "model", "rename", "a.dnn", *names, "-o", "c.dnn")
    assert result.code and problem in result.err and not (models / "c.dnn").exists()


def test_copy_weights(models: Path) -> None:
    before = (models / "b.dnn").read_bytes()
    dry = bsls(models, "model", "copy-weights", "a.dnn", "b.dnn", "-n")
    assert dry.out.splitlines() == ["left alone: 'L1.b' is [3], 'L1.b' [4]", "L1.W -> L1.W [3 x 2]"]
    assert (models / "b.dnn").read_bytes() == before
    assert bsls(models, "model", "copy-weights", "a.dnn", "b.dnn", "--map", "L1_b=c", "-o", "c.dnn").code == 0
    assert (values(models / "c.dnn", "c"), values(models / "c.dnn", "L1.W")) == (2, 0)
    assert bsls(models, "model", "copy-weights", "a.dnn", "b.dnn").code == 0
    assert (values(models / "b.dnn", "L1.W"), values(models / "b.dnn", "c")) == (1, 0)


def test_weights_that_do_not_fit(models: Path) -> None:
    result = bsls(models, "model", "copy-weights", "a.dnn", "b.dnn", "--map", "L1.b=L1.b")
    assert result.code == 1 and "'L1.b' is [3], 'L1.b' [4]: the values do not fit" in result.err


def test_convert(models: Path) -> None:
    assert bsls(models, "model", "convert", "a.dnn", "-o", "a.v2").out.splitlines() == [
        "left out, as nothing that is computed uses them: L1.b", "a.v2: CNTK v2 model, 2 nodes"
    ]  # fmt: skip
    back = bsls(models, "model", "convert", "a.v2", "-o", "back.dnn")
    assert (back.out, back.code) == ("back.dnn: CNTK v1 model, 2 nodes\n", 0)
    assert values(models / "back.dnn", "L1.W") == 1
    bsls(models, "model", "convert", "a.dnn", "--to", "v1", "-o", "same.dnn")
    assert (models / "same.dnn").read_bytes() == (models / "a.dnn").read_bytes()


def test_multipliers_that_a_v2_model_does_not_have(models: Path) -> None:
    network = v1.read(models / "a.dnn")
    network["L1.W"].attributes["learningRateMultiplier"] = 0.5
    v1.write(network, models / "slow.dnn")
    found = bsls(models, "model", "convert", "slow.dnn", "-o", "slow.v2")
    assert found.out.startswith("multipliers of learning rates are lost, of L1.W\n")


def test_safetensors(models: Path) -> None:
    from safetensors.numpy import load_file

    assert bsls(models, "export", "a.dnn", "--to", "safetensors").out == "a.dnn.safetensors: 2 tensors\n"
    tensors = load_file(models / "a.dnn.safetensors")
    assert (models / "a.dnn.safetensors").stat().st_mode == (models / "a.dnn").stat().st_mode
    assert {name: (t.shape, float(t.max())) for name, t in tensors.items()} == {"L1.W": ((2, 3), 1), "L1.b": ((3,), 2)}
    found = bsls(models, "model", "from-safetensors", "a.dnn.safetensors", "b.dnn", "--map", "L1.W=L1_W", "-o", "n.dnn")
    assert (found.out, found.code) == ("n.dnn: 1 parameter from a.dnn.safetensors\n", 0)
    assert [values(models / "n.dnn", name) for name in ("L1.W", "L1.b")] == [1, 0]
    bsls(models, "model", "from-safetensors", "a.dnn.safetensors", "-o", "alone.dnn")
    assert [(n.name, n.shape or n.attributes["dims"]) for n in v1.read(models / "alone.dnn")] == [
        ("L1.b", (3,)), ("L1.W", (3, 2))
    ]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), [
    (["a.dnn.safetensors", "b.dnn"], "the tensor 'L1.b' is [3], as CNTK has it, and 'L1.b' [4]"),
    (["a.dnn.safetensors", "b.dnn", "--map", "L1.w=c"], "help: did you mean 'L1.W'?\nerror: 'a.dnn.safetensors' has no tensor 'L1.w'"),
    (["a.dnn.safetensors", "b.dnn", "--map", "L1.W=z"], "'z' has no values: its operation is Tanh"),
    (["a.dnn", "b.dnn"], "'a.dnn' is not a safetensors file, or a damaged one"),
    (["none", "b.dnn"], "cannot read 'none': No such file"),
    (["odd.safetensors", "b.dnn"], "the tensor 't' of the type I64, which no parameter has"),
])  # fmt: skip
def test_tensors_that_do_not_fit(arguments: list[str], words: str, models: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"t": np.zeros(1, np.int64)}, models / "odd.safetensors")
    bsls(models, "export", "a.dnn", "--to", "safetensors")
    found = bsls(models, "model", "from-safetensors", *arguments, "-o", "n.dnn")
    assert found.code == 1
    assert words in found.err
    assert not (models / "n.dnn").exists()


def test_diff_of_values(models: Path) -> None:
    bsls(models, "model", "copy-weights", "b.dnn", "a.dnn", "-o", "c.dnn")
    found = bsls(models, "model", "diff", "a.dnn", "c.dnn")
    assert (found.code, found.out) == (1, "~ L1.W\n    values: 6 of 6 differ, by 1 at most\n1 changed\n")
    assert bsls(models, "model", "diff", "a.dnn", "c.dnn", "--no-weights").out == (
        "the same nodes (weights are not compared)\n"
    )


def test_logs(models: Path) -> None:
    (models / "a.log").write_text(bsls(models, "model", "graph", "a.dnn", "--format", "log").out)
    found = bsls(models, "model", "diff", "a.log", "a.dnn")
    assert (found.code, found.out) == (0, "the same nodes (weights, settings and groups are not compared)\n")
    assert bsls(models, "model", "nodes", "a.log", "z").out == "z = Tanh (L1.W) : [3 x 2] -> [3 x 2]\n"
    assert bsls(models, "model", "show", "a.log").out.startswith("a.log: log of CNTK, 162 B, 3 nodes\n")
    assert bsls(models, "model", "graph", "a.log").out.startswith("<svg")


@pytest.mark.parametrize(("file", "samples"), [("adam.ckp", 480), ("criteria.ckp", 384)])
def test_checkpoints(file: str, samples: int, models: Path) -> None:
    shutil.copy(GOLDEN / file, models)
    found = bsls(models, "model", "show", file)
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith(f"{file}: training checkpoint of a config (v1)\n\nsamples seen:     {samples}\n")
    shown = json.loads(bsls(models, "model", "show", file, "--format", "json").out)
    assert shown["samples"] == samples and len(shown["gradients"]) == 4
    assert (shown["best"] is None) == (file == "adam.ckp")


def test_a_full_disk_while_exporting(models: Path) -> None:
    save(models / "large.dnn", W=np.zeros((100, 100), np.float32))
    found = bsls(models, "export", "large.dnn", "--to", "safetensors", largest_file=1000)
    assert (found.code, found.last.partition(": Error")[0]) == (1, "error: cannot write 'large.dnn.safetensors'")
    assert not list(models.glob("*.safetensors*"))

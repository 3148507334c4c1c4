"""Models that are not there yet are known from the commands that will write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.project.files import Files
from bsls.project.project import Project

TRAIN = """
{name} = {{
    action = "train" ; modelPath = "{model}"
    BrainScriptNetworkBuilder = {{ {net} ; criterionNodes = (ce) }}
    SGD = {{ maxEpochs = 1 ; learningRatesPerSample = 0.1 }}
    reader = {{ file = "d.txt" ; input = {{ x = {{ dim = 2 ; format = "dense" }} }} }}
}}
"""
PLAIN = "x = Input {2} ; L1 = { y = Sigmoid (x) } ; ce = SquareError (x, L1.y)"


def using(model: str, member: str = "L1_y") -> str:
    return f'net = BS.Network.Load ("{model}") ; x = Input {{2}} ; f = BS.Network.CloneFunction (net.x, net.{member}) ; h = f (x) ; ce = SquareError (x, h)'


def config(folder: Path, name: str, **commands: tuple[str, str]) -> Path:
    path = folder / name
    text = "".join(TRAIN.format(name=k, model=m, net=n) for k, (m, n) in commands.items())
    path.write_text(f"command = {':'.join(commands)}\n{text}")
    (folder / "d.txt").write_text("|x 1 2\n")
    return path


def findings(path: Path) -> list[str]:
    return [f.rule for f in check_config([f"configFile={path.name}"], Files(str(path.parent)))[0]]


def test_from_a_command_of_the_same_config(tmp_path: Path) -> None:
    path = config(tmp_path, "a.cntk", first=("m.dnn", PLAIN), second=("n.dnn", using("m.dnn")))
    assert findings(path) == []


@pytest.mark.parametrize("model", ["m.dnn", "m.dnn.3"])
def test_from_a_neighbour(tmp_path: Path, model: str) -> None:
    config(tmp_path, "a.cntk", first=("m.dnn", PLAIN))
    assert findings(config(tmp_path, "b.cntk", second=("n.dnn", using(model)))) == []
    assert findings(config(tmp_path, "c.cntk", second=("o.dnn", using(model, "L1.y")))) == ["model-node"]


def test_unknown_models(tmp_path: Path) -> None:
    assert findings(config(tmp_path, "b.cntk", second=("n.dnn", using("nowhere.dnn")))) == ["missing-model"]


def test_circles_end(tmp_path: Path) -> None:
    config(tmp_path, "a.cntk", first=("m.dnn", using("n.dnn")))
    config(tmp_path, "b.cntk", second=("n.dnn", using("m.dnn")))
    itself = config(tmp_path, "c.cntk", third=("o.dnn", using("o.dnn")))
    for name in ("a.cntk", "b.cntk"):
        findings(tmp_path / name)
    findings(itself)


def test_a_broken_neighbour_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "broken.cntk").write_text("command = [ {\nx = (")
    config(tmp_path, "a.cntk", first=("m.dnn", PLAIN))
    assert findings(config(tmp_path, "b.cntk", second=("n.dnn", using("m.dnn")))) == []


def test_copies_are_independent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(tmp_path, "a.cntk", first=("m.dnn", PLAIN))
    monkeypatch.chdir(tmp_path)
    project = Project([f"configFile={path.name}"])
    one, two = project.load_model("m.dnn"), project.load_model("m.dnn")
    assert one is not None and two is not None
    one.network["L1.y"].name = "z"
    assert two.network["L1.y"].name == "L1.y"


def test_a_folder_with_many_configs(tmp_path: Path) -> None:
    """The config that makes the model is found among many others."""
    for i in range(120):
        (tmp_path / f"a{i:03}.cntk").write_text("command = X\nX = [ action = ]]] broken\n")
    config(tmp_path, "z.cntk", first=("m.dnn", PLAIN))
    assert findings(config(tmp_path, "b.cntk", second=("n.dnn", using("m.dnn")))) == []


def models(path: Path) -> list[tuple[str, str, str]]:
    return [m[:3] for m in Project([f"configFile={path.name}"], Files(str(path.parent))).models()]


def test_all_models_that_can_be_loaded(tmp_path: Path) -> None:
    config(tmp_path, "a.cntk", first=("m.dnn", PLAIN), second=("models/n.net", PLAIN))
    (tmp_path / "broken.cntk").write_text("command = [ {\nx = (")
    path = config(tmp_path, "b.cntk", third=("$out$/o.dnn", PLAIN), fourth=("./m.dnn", PLAIN))
    path.write_text(path.read_text() + "out = models\n")
    written = [("models/o.dnn", "third", ""), ("./m.dnn", "fourth", ""), ("models/n.net", "second", "a.cntk")]
    assert models(path) == written
    (tmp_path / "models" / "x.dnn").mkdir(parents=True)
    for name in ("o.dnn", "n.net.3", "n.net.ckp", "other.dnn", "other.net"):
        (tmp_path / "models" / name).touch()
    (tmp_path / "beside.DNN.12").touch()
    assert models(path) == [*written, *((f, "", "") for f in ("beside.DNN.12", "models/n.net.3", "models/other.dnn"))]


def test_new_model_files_are_noticed(tmp_path: Path) -> None:
    project = Project(["configFile=a.cntk"], Files(str(config(tmp_path, "a.cntk", first=("m/a.dnn", PLAIN)).parent)))
    assert [m.path for m in project.models()] == ["m/a.dnn"]
    assert not project.files.changed()
    (tmp_path / "m").mkdir()
    assert project.files.changed()


def test_where_a_model_is_named(tmp_path: Path) -> None:
    path = config(tmp_path, "a.cntk", first=("a.dnn", PLAIN))
    [model] = Project([f"configFile={path.name}"], Files(str(tmp_path))).models()
    assert model.span is not None and model.span.text == '"a.dnn"'


@pytest.mark.parametrize(
    "copying",
    [
        'action = "adapt" ; origModelFileName = "m.dnn" ; modelPath = "n.dnn"',
        'action = "bnstat" ; modelPath = "m.dnn" ; newModelPath = "n.dnn"',
    ],
)
def test_from_a_command_that_changes_only_the_values_of_a_model(copying: str, tmp_path: Path) -> None:
    path = config(tmp_path, "a.cntk", first=("m.dnn", PLAIN), last=("o.dnn", using("n.dnn", "L1.y")))
    path.write_text(path.read_text() + f"\nmiddle = {{ {copying} }}\n")
    evaluation = (project := Project([f"configFile={path}"])).network(project.commands()[1], strict=False)
    assert [sorted(node.name for node in m.network) for m in evaluation.loaded] == [["L1.y", "ce", "x"]]

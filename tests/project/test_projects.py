"""Configs as a whole: files and arguments, and models that are not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.project.files import Files
from bsls.project.project import Project

TRAIN = """
train = [ action = train ; modelPath = "%s"
  BrainScriptNetworkBuilder = { x = Input (3) ; L = {y = Sigmoid (x)} ; z = DenseLayer {2} (L.y) ; outputNodes = (z) }
]
"""
USE = """
use = [ action = train ; modelPath = "u.dnn"
  BrainScriptNetworkBuilder = { n = BS.Network.Load ("%s") ; q = Exp (n.%s) }
]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def project(files: dict[str, str], *arguments: str, **settings: bool) -> Project:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    return Project(arguments or ("configFile=c.cntk",), **settings)


def names(made: Project, strict: bool = True) -> set[str]:
    """Nodes of the network of the last command, which must be known completely."""
    evaluation = made.network(made.commands()[-1], strict=strict)
    assert [str(f) for f in evaluation.findings] == []
    assert made.unknown_models == []
    assert evaluation.network is not None
    assert evaluation.complete
    return {n.name for n in evaluation.network}


def nothing_said(made: Project) -> bool:
    """Whether the network of the last command is not known completely, and that is no mistake of it."""
    evaluation = made.network(made.commands()[-1], strict=False)
    return not evaluation.complete and evaluation.findings == []


# --- models that are not there yet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [
    {"c.cntk": "command = train:use" + TRAIN % "m.dnn" + USE % ("m.dnn", "L_y")},
    {"c.cntk": "command = use" + TRAIN % "m.dnn" + USE % ("m.dnn", "L_y")},
    {"c.cntk": "command = use" + TRAIN % "./models/../m.dnn" + USE % ("m.dnn", "L_y")},
    {"c.cntk": "command = use" + TRAIN % "m.dnn" + USE % ("m.dnn.3", "L_y")},
    {"c.cntk": "d = models\ncommand = use" + TRAIN % "$d$/m.dnn" + USE % ("models/m.dnn", "L_y")},
    {"c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "b.cntk": "command = train" + TRAIN % "m.dnn"},
    {"c.cntk": "command = use" + USE % ("m.dnn.12", "L_y"), "b.cntk": "command = train" + TRAIN % "m.dnn"},
    {"c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "b.cntk": "d = .\n" + TRAIN % "$d$/m.dnn"},
    {"c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "a.cntk": "command = [ (", "b.cntk": TRAIN % "m.dnn",
     "a2.cntk": "train = [ action = $nope$ ]", "a3.cntk": "train = [ action = trian ; modelPath = m.dnn ]", "a4.cntk": "\0"},
    {"c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "a.cntk": TRAIN % "$nope$/m.dnn", "b.cntk": TRAIN % "m.dnn"},
])  # fmt: skip
def test_a_model_is_known_from_its_command(files: dict[str, str]) -> None:
    assert names(project(files)) == {"x", "L.y", "q"}


def test_shapes_of_a_foreseen_model_are_known() -> None:
    made = project({"c.cntk": "command = use" + TRAIN % "m.dnn" + USE % ("m.dnn", "z")})
    network = made.network(made.commands()[0]).network
    assert network is not None
    assert str(network["q"].shape) == "[2 x *1]"
    assert network["z.arrayOfFunctions[0].W"].attributes["dims"] == (2, 3)


def test_a_chain_of_models() -> None:
    last = 'last = [ action = write ; modelPath = w ; BrainScriptNetworkBuilder = { n = BS.Network.Load ("u.dnn") ; k = Tanh (n.q) } ]'
    assert names(project({"c.cntk": f"command = last\n{last}" + TRAIN % "m.dnn" + USE % ("m.dnn", "L_y")})) == {
        "x",
        "L.y",
        "q",
        "k",
    }


def test_a_command_that_only_loads() -> None:
    made = project({"c.cntk": "command = w\nw = [ action = write ; modelPath = m.dnn ]" + TRAIN % "m.dnn"})
    assert {"x", "L.y", "z"} <= names(made)


@pytest.mark.parametrize(
    ("command", "outputs"),
    [
        ("action = write", "z"),
        ("action = write ; outputNodeNames = l.y:z:none", "L.y z"),
        ("action = test ; evalNodeNames = L.y", "L.y"),
        ("action = test ; outputNodeNames = L.y", "z"),
        ("action = dumpNode ; outputNodeNames = L.y", "z"),
    ],
)
def test_nodes_to_compute_are_the_outputs_of_a_loaded_model(command: str, outputs: str) -> None:
    text = f"command = train:use ; {TRAIN % 'm.dnn'}\n use = [ {command} ; modelPath = m.dnn ]"
    made = project({"c.cntk": text})
    network = made.network(made.commands()[-1]).network
    assert network is not None
    assert " ".join(n.name for n in network.groups["output"]) == outputs
    assert [n.name for n in network.roots()] == sorted({*outputs.split(), "z"})


def test_the_file_comes_before_its_command() -> None:
    made = project({"c.cntk": "command = use" + USE % ("m.dnn", "other"), "b.cntk": TRAIN % "m.dnn",
                    "t.cntk": 'command = t\nt = [ action = train ; BrainScriptNetworkBuilder = { other = Input (1) } ]'})  # fmt: skip
    other = Project(["configFile=t.cntk"])
    network = other.network(other.commands()[0]).network
    assert network is not None
    v1.write(network, "m.dnn")
    assert names(made) == {"other", "q"}


def test_a_run_needs_the_file() -> None:
    made = project({"c.cntk": "command = use" + TRAIN % "m.dnn" + USE % ("m.dnn", "L_y")}, foresee=False)
    with pytest.raises(BsError, match=r"the model file 'm\.dnn' does not exist"):
        made.network(made.commands()[0])


def test_a_model_that_nothing_writes() -> None:
    made = project({"c.cntk": "command = use" + USE % ("m.dnn", "L_y")})
    assert nothing_said(made)
    assert [(path, span.text) for path, span in made.unknown_models if span] == [("m.dnn", '"m.dnn"')]


@pytest.mark.parametrize("files", [
    {"c.cntk": "command = use" + USE % ("u.dnn", "L_y")},
    {"c.cntk": "command = use" + USE % ("v.dnn", "a"), "b.cntk": (USE % ("u.dnn", "b")).replace('"u.dnn"\n', '"v.dnn"\n')},
    {"c.cntk": "command = use" + USE % ("v.dnn", "a"), "b.cntk": (USE % ("w.dnn", "b")).replace('"u.dnn"\n', '"v.dnn"\n'),
     "d.cntk": (USE % ("v.dnn", "b")).replace('"u.dnn"\n', '"w.dnn"\n')},
])  # fmt: skip
def test_circles_of_configs_end(files: dict[str, str]) -> None:
    assert nothing_said(project(files))


@pytest.mark.parametrize(
    "mistake",
    [
        ("DenseLayer", "DenseLayr"),
        ("Input (3)", "Input (3"),
        ("{y =", "{z ="),
        ("BrainScriptNetworkBuilder", "NDLNetworkBuilder"),
    ],
)
def test_a_mistake_in_a_neighbour_is_none_here(mistake: tuple[str, str]) -> None:
    broken = (TRAIN % "m.dnn").replace(*mistake)
    assert nothing_said(project({"c.cntk": "command = use" + USE % ("m.dnn", "a"), "b.cntk": broken}))


def test_a_mistake_in_one_command_is_none_of_another() -> None:
    made = project(
        {"c.cntk": "command = train:use" + (TRAIN % "m.dnn").replace("Sigmoid (x)", "foo") + USE % ("m.dnn", "L_y")}
    )
    said = [[f.rule for f in made.network(c, strict=False).findings] for c in made.commands()]
    assert said == [["unknown-identifier"], []]


def test_copies_of_a_model_are_independent() -> None:
    made = project({"c.cntk": "command = train" + TRAIN % "m.dnn"})
    first, second = made.load_model("m.dnn"), made.load_model("m.dnn")
    assert first is not None and second is not None
    node = first.network["L.y"]
    node.name = "renamed"
    node.tags.append("output")
    node.attributes["x"] = 1
    twin = second.network["L.y"]
    assert (twin.name, twin.tags, twin.attributes) == ("L.y", [], {})
    assert {n.name for n in second.network}.isdisjoint({"renamed"})
    assert (first.network.axis_name, second.network.axis_name) == ("*", "*1")


def test_foreseeing_does_not_count_networks_or_seeds() -> None:
    made = project({"c.cntk": "command = use:train" + TRAIN % "m.dnn" + USE % ("m.dnn", "L_y")})
    use, train = made.commands()
    used = made.network(use).network
    assert used is not None
    assert (used.axis_name, made.counters.seed) == ("*1", 1)  # one after the loaded one
    network = made.network(train).network
    assert network is not None
    assert network.axis_name == "*2"
    assert network["z.arrayOfFunctions[0].W"].attributes["randomSeed"] == 1


# --- files and arguments ---------------------------------------------------------------------------------------------


def test_several_files_and_arguments() -> None:
    made = project(
        {"a.cntk": "x = 1\ny = 1\nz = 1", "b.cntk": "y = 2\nz = 2"}, "x=0", "configFile=a.cntk+b.cntk", "z=3"
    )
    assert [made.config.get_integer(key, 0) for key in "xyz"] == [1, 2, 3]
    assert made.config_paths == ["a.cntk", "b.cntk"]


@pytest.mark.parametrize("text", ["\ufeffcommand = train", "command = train # äöü"])
def test_byte_order_mark_and_umlauts(text: str) -> None:
    assert [c.action for c in project({"c.cntk": text + TRAIN % "m"}).commands()] == ["train"]


def test_other_encodings_and_line_ends() -> None:
    Path("c.cntk").write_bytes(("command = train # ä\r\n" + (TRAIN % "m").replace("\n", "\r\n")).encode("latin-1"))
    (command,) = Project(["configFile=c.cntk"]).commands()
    assert command.model_path is not None
    assert (command.model_path.text, str(command.model_path.span)) == ("m", "c.cntk:3:40")


def test_open_documents_come_before_the_disk() -> None:
    from bsls.source import Source

    Path("c.cntk").write_text("a = 1")
    document = Source("c.cntk", "a = 2")
    files = Files(documents={str(Path("c.cntk").absolute()): document})
    assert Project(["configFile=c.cntk"], files).config.get_integer("a", 0) == 2


def test_paths_count_from_the_base() -> None:
    project({"d/c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "d/b.cntk": TRAIN % "m.dnn"}, "configFile=d/c.cntk")
    made = Project(["configFile=c.cntk"], Files("d"))
    assert names(made) == {"x", "L.y", "q"}
    assert made.config.problems == []


def test_neighbours_are_in_the_folder_of_the_config() -> None:
    assert names(
        project(
            {"d/c.cntk": "command = use" + USE % ("m.dnn", "L_y"), "d/b.cntk": TRAIN % "m.dnn"}, "configFile=d/c.cntk"
        )
    )


@pytest.mark.parametrize("foresee", [True, False])
def test_current_directory(foresee: bool) -> None:
    made = project(
        {"d/c.cntk": "command = train" + TRAIN % "m"}, "currentDirectory=d", "configFile=c.cntk", foresee=foresee
    )
    assert made.config.get_string("currentdirectory", "") == "d"
    assert "z" in names(made)


@pytest.mark.parametrize(("arguments", "rule"), [
    (["a=1"], "usage"),
    (["configFile="], "usage"),
    (["configFile=c.cntk", "configFile=c.cntk"], "usage"),
    (["currentDirectory=nowhere", "configFile=c.cntk"], "usage"),
    (["configFile=nowhere.cntk"], "missing-file"),
    (["configFile=."], "missing-file"),
    (["configFile=binary.cntk"], "syntax"),
])  # fmt: skip
def test_wrong_arguments(arguments: list[str], rule: str) -> None:
    with pytest.raises(BsError) as caught:
        project({"c.cntk": "a = 1", "binary.cntk": "a\0b"}, *arguments)
    assert caught.value.finding.rule == rule


@pytest.mark.parametrize(("text", "place"), [
    ("command = t\nt = [ action = train\n", "c.cntk:2:5"),
    ("command = t\nt = [ action = train ; SGD = [ maxEpochs = ] ]", "c.cntk:2:32"),
    ("a = (1 ]\ncommand = t\nt = [ action = train ]", "c.cntk:1:8"),
])  # fmt: skip
def test_commands_of_a_text_that_is_not_right(text: str, place: str) -> None:
    with pytest.raises(BsError) as caught:
        project({"c.cntk": text}).commands()
    assert str(caught.value.finding.span) == place


@pytest.mark.parametrize(
    ("builder", "rule"),
    [
        ("", "missing-key"),
        ("createNetwork = [ x ]", "unsupported-builder"),
        ("BrainScriptNetworkBuilder = x", "syntax"),
    ],
)
def test_descriptions_that_cannot_be_used(builder: str, rule: str) -> None:
    made = project({"c.cntk": f"command = t\nt = [ action = train ; modelPath = m\n{builder}\n]"})
    with pytest.raises(BsError) as caught:
        made.build(made.commands()[0])
    assert caught.value.finding.rule == rule


def test_the_counter_of_seeds_runs_on_over_commands() -> None:
    text = "a = [ action = train ; BrainScriptNetworkBuilder = { w = ParameterTensor {3} } ]\n"
    made = project({"c.cntk": "command = a:b\n" + text + text.replace("a =", "b =")})
    seeds = [n.attributes["randomSeed"] for c in made.commands() for n in made.network(c).network or ()]
    assert seeds == [1, 2]
    made = Project(["configFile=c.cntk", "forceConstantRandomSeed=true"])
    assert [n.attributes["randomSeed"] for c in made.commands() for n in made.network(c).network or ()] == [1, 1]


@pytest.mark.parametrize(
    ("text", "size"), [("1 2 3\n4 5 6\n", (2, 3)), ("1\n\n2\n", (2, 1)), ("", None), ("ä\n", None)]
)
def test_size_of_a_matrix_file(text: str, size: tuple[int, int] | None) -> None:
    Path("w.txt").write_text(text, encoding="utf-8")
    assert Files().matrix_size("w.txt") == size
    assert Files().matrix_size("nowhere.txt") is None


def test_files_that_are_looked_at_while_changes_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bsls.project import files as room

    files = Files(str(tmp_path))
    files.exists("a")
    state_of = room.state_of

    def looking(path: str) -> room.State:
        files.states.setdefault(path + "x", None)
        return state_of(path)

    monkeypatch.setattr(room, "state_of", looking)
    assert not files.changed()
    (tmp_path / "a").write_text("")
    assert files.changed()


def test_paths_that_cannot_be() -> None:
    assert not Files().exists("a\0b") and not Files().exists("\ud800")


def test_entries_of_a_folder(tmp_path: Path) -> None:
    files = Files(str(tmp_path))
    for name in ("b.txt", "A.txt", ".c"):
        (tmp_path / name).touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert files.entries("") == [("a", True), ("A.txt", False), ("b.txt", False), ("dangling", False)]
    assert files.entries(".", "a") == [("a", True), ("A.txt", False)]
    assert files.entries("", ".") == [(".c", False)]
    assert files.entries("", limit=1) == [("a", True)]
    assert files.entries("a") == files.entries("nowhere") == files.entries("b.txt") == files.entries("\0") == []
    assert not files.changed()
    (tmp_path / "a" / "new").touch()
    assert files.changed()

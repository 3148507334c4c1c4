"""NDL and editing scripts where configs have them: in sections, in files, with `$x$`; and the models that scripts save."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.finding import BsError, Severity
from bsls.project.files import Files
from bsls.project.project import Project
from bsls.source import Source

INPUTS = "x = Input (dim, tag = feature)\n"
MACROS = "Layer (rows, cols, a) = [ W = Parameter (rows, cols)\nr = Times (W, a) ]\n"
LINES = "h = Layer (2, dim, x)\nOutputNodes = (h)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def project(builder: str, top: str = "", **files: str) -> Project:
    for name, text in files.items():
        Path(name.replace("_", ".")).write_text(text)
    Path("c.cntk").write_text(f"command = t\nnet = [ dim = 3\n{INPUTS}{LINES} ]\n{top}\nt = [ action = train ; modelPath = m\nNDLNetworkBuilder = [\n{builder}\n] ]")  # fmt: skip
    return Project(["configFile=c.cntk"])


def names(made: Project) -> set[str]:
    network = made.build(made.commands()[0]).network
    assert network is not None
    return {n.name for n in network}


@pytest.mark.parametrize(
    ("builder", "top", "files"),
    [
        (f"run = here\nhere = [ dim = 3\n{MACROS}{INPUTS}{LINES} ]", "", {}),
        (f"load = macros\nrun = net\nmacros = [ {MACROS} ]", "", {}),
        ("run = net\nndlMacros = m.txt", "", {"m_txt": MACROS}),
        ("run = net", "ndlMacros = n.txt+m.txt", {"m_txt": MACROS, "n_txt": "Other (a) = [ q = Tanh (a) ]"}),
        ("networkDescription = f.ndl", "", {"f_ndl": f"dim = 3\n{MACROS}{INPUTS}{LINES}"}),
        ("networkDescription = f.ndl", "", {"f_ndl": f"load = a\nrun = b:c\na = [ {MACROS} ]\nb = [ dim = 3\n{INPUTS} ]\nc = [ {LINES} ]"}),
        ("networkDescription = f.ndl\nrun = b", "", {"f_ndl": f"load = a\nrun = q\na = [ {MACROS} ]\nb = [ dim = 3\n{INPUTS}{LINES} ]"}),
        ("networkDescription = $where$.ndl", "where = f\nsize = 3", {"f_ndl": f"dim = $size$\n{MACROS}{INPUTS}{LINES}"}),
    ],
)  # fmt: skip
def test_where_ndl_is(builder: str, top: str, files: dict[str, str]) -> None:
    assert names(project(builder, top, **files)) == {"x", "h.W", "h.r"}


@pytest.mark.parametrize(
    ("builder", "rule", "text"),
    [
        ("networkDescription = f.nld", "missing-file", "f.nld"),
        ("networkDescription = f.ndl", "undefined-variable", "$size$"),
        ("networkDescription = f.ndl+g.ndl", "config-value", "f.ndl+g.ndl"),
        ("networkDescription = f.ndl\nrun = q\nsize = 3", "unknown-command", "q"),
        ("run = nothing", "unknown-command", "nothing"),
        ("x = 3", "missing-key", "NDLNetworkBuilder"),
        ("run = net\nndlMacros = [ x = 3 ]", "config-value", "ndlMacros"),
        ("run = net", "unknown-identifier", "Layer"),
    ],
)
def test_what_is_not_there(builder: str, rule: str, text: str) -> None:
    made = project(builder, f_ndl="dim = $size$\n" + INPUTS)
    with pytest.raises(BsError) as raised:
        names(made)
    assert raised.value.finding.span is not None
    assert (raised.value.finding.rule, raised.value.finding.span.text) == (rule, text)


def test_unsaved_documents_come_first() -> None:
    project("networkDescription = f.ndl", f_ndl="nothing")
    documents = {str(Path("f.ndl").resolve()): Source("f.ndl", f"dim = 3\n{MACROS}{INPUTS}{LINES}")}
    made = Project(["configFile=c.cntk"], Files(documents=documents))
    assert names(made) == {"x", "h.W", "h.r"}


# --- editing scripts -------------------------------------------------------------------------------------------------

CONFIG = f"""command = t:e:u
t = [ action = train ; modelPath = first.dnn ; NDLNetworkBuilder = [ run = net
net = [ dim = 3
{MACROS}{INPUTS}{LINES} ] ] ]
e = [ action = edit ; editPath = "e.mel" ]
u = [ action = write ; outputPath = o ; modelPath = "$last$" ]
last = third.dnn
"""
SCRIPT = """m = LoadModel (first.dnn)
SetDefaultModel (m)
Rename (h.r, z)
SaveModel (m, second.dnn)
n = LoadModel (second.dnn)
Rename (n.z, n.q)
SaveModel (n, $last$)
"""


def edited(script: str = SCRIPT) -> Project:
    Path("e.mel").write_text(script)
    Path("c.cntk").write_text(CONFIG)
    return Project(["configFile=c.cntk"])


def test_models_that_a_script_will_save() -> None:
    made = edited()
    for path, node in (("second.dnn", "z"), ("third.dnn", "q")):
        model = made.load_model(path)
        assert model is not None and model.complete and node in model.network
    assert {m.path for m in made.models()} >= {"first.dnn", "second.dnn", "third.dnn"}
    use = made.network(made.commands()[-1])
    assert use.network is not None and "q" in use.network
    assert made.network(made.commands()[1]).complete


def test_a_mistake_in_a_script_is_told_once_and_there() -> None:
    edited(SCRIPT.replace("h.r", "h.q"))
    found = [
        f for f in check_config(["configFile=c.cntk"])[0] if f.severity == Severity.ERROR and f.rule != "missing-key"
    ]
    assert [(f.rule, f.span.source.path, f.span.text) for f in found if f.span] == [("model-node", "e.mel", "h.q")]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("f.ndl", f"dim = 3\n{MACROS}{INPUTS}", []),
        ("f.ndl", "load = a ; run = b\na = [ x = Input ($n$) ]\nb = [\ny = ]\nc = [ z = ]", [4]),
        ("f.ndl", "x = Input (3\ny = Tanh (x)", [1]),
        ("f.mel", SCRIPT, []),
        ("f.mel", "m = LoadModel (x)\nSave m", [2]),
    ],
)
def test_files_by_themselves(name: str, text: str, lines: list[int]) -> None:
    Path(name).write_text(text)
    found = check_config([f"configFile={name}"])[0]
    assert [f.span.start_position.line + 1 for f in found if f.span] == lines


def test_a_training_that_begins_with_an_edited_model() -> None:
    begun = "command = t:e:u:v\n" + CONFIG.partition("\n")[2].partition("u =")[0]
    begun += (
        "u = [ action = train ; modelPath = next.dnn ; NDLNetworkBuilder = [ networkDescription = nowhere.ndl ] ]\n"
    )
    begun += "v = [ action = write ; outputPath = o ; modelPath = next.dnn ]\n"
    edited(SCRIPT.replace("$last$", "next.dnn.0"))
    Path("c.cntk").write_text(begun)
    made = Project(["configFile=c.cntk"])
    for command in made.commands()[-2:]:
        network = made.network(command).network
        assert network is not None and "q" in network

"""What runs write beside their models: events, values for TensorBoard, plots."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bsls.finding import BsError
from bsls.project.project import Project
from bstorch.main import Runtime
from small_project import CONFIG, all_files, make_project

READER = CONFIG[CONFIG.index("reader =") : CONFIG.index("Train = {")]
SMALL = CONFIG.replace("SGD = {", "SGD = { traceLevel = 1 ; numMBsToShowResult = 2 ;").replace(
    "command = Train:Test", "command = Train"
)
VALIDATED = SMALL.replace("    SGD = {", READER.replace("reader", "cvReader", 1) + "    SGD = {")
TWO = SMALL.replace("command = Train", "command = Train:Other") + "Other = { $AS_TRAIN$ }".replace(
    "{ $AS_TRAIN$ }", SMALL[SMALL.index("Train = {") + 8 : SMALL.index("Test = {")].replace("{", '{ modelPath = "models/o.dnn"', 1)
)  # fmt: skip


def run(*arguments: str, **options: object) -> str:
    log = io.StringIO()
    Runtime(log, **options).run(Project(["configFile=c.cntk", *arguments], foresee=False))  # type: ignore[arg-type]
    return log.getvalue()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path, VALIDATED)


def without_times(log: str) -> str:
    return re.sub(r"(time = |samplesPerSecond = |epochTime=)[\d.e-]+", r"\1", log)


def scalars(path: str) -> dict[str, list[tuple[int, float]]]:
    """The values that TensorBoard reads."""
    events = EventAccumulator(path, size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def figures(log: str, pattern: str) -> list[float]:
    return [float(value) for value in re.findall(pattern + r".*?\bce = ([\d.]+)", log)]


def test_log_and_models_are_the_same_with_observers(folder: Path) -> None:
    plain = without_times(run())
    models = {n: b for n, b in all_files(folder / "models").items() if not n.endswith(".json")}
    options = {"events": "e", "progress": "off", "tensorboard": "tb", "plot": "p.svg"}
    assert without_times(run("modelPath=again/m.dnn", **options)).replace("again/", "models/") == plain
    assert {n: b for n, b in all_files(folder / "again").items() if not n.endswith(".json")} == models


def test_events_tell_how_fast_it_goes() -> None:
    run(events="e")
    events = [json.loads(line) for line in Path("e").read_text().splitlines()]
    kinds = ["minibatch", "minibatch", "epoch", "epoch", "checkpoint"]
    assert [e["event"] for e in events] == kinds * 3 + ["done"]
    first, second, trained, validated = events[:4]
    assert (first["epochSamples"], second["epochSamples"], first["epochSize"]) == (20, 40, 40)
    assert first["samplesPerSecond"] > 0 and 0 < first["secondsLeftInEpoch"] < first["secondsLeft"]
    assert second["secondsLeftInEpoch"] == 0
    assert (trained["part"], validated["part"]) == ("training", "validation")
    assert trained["samplesPerSecond"] > 0 and validated["secondsLeft"] > 0
    assert (
        events[5]["secondsLeft"] > events[10]["secondsLeft"] > 0
    )  # at the same place of the second and the third epoch


def test_tensorboard(folder: Path) -> None:
    log = run(tensorboard="tb/x")
    found = scalars("tb/x")
    assert found.keys() == {
        "minibatch/ce", "minibatch/learningRatePerSample", "summary/ce", "summary/learningRatePerSample", "summary/test_ce",
    }  # fmt: skip
    assert [step for step, _ in found["minibatch/ce"]] == [2, 4, 6, 8, 10, 12]
    assert [v for _, v in found["minibatch/ce"]] == pytest.approx(figures(log, "-Minibatch"))
    assert found["summary/ce"] == [(i, pytest.approx(v)) for i, v in enumerate(figures(log, "Training"), 1)]
    assert found["summary/test_ce"] == [(i, pytest.approx(v)) for i, v in enumerate(figures(log, "Validate"), 1)]
    assert found["summary/learningRatePerSample"] == [(i, pytest.approx(0.1)) for i in (1, 2, 3)]


def test_tensorboard_by_keys_of_the_config(folder: Path) -> None:
    make_project(
        folder, SMALL.replace("SGD = {", 'SGD = { tensorBoardLogDir = "a/b" ; tensorBoardNumMBsToLogResult = 3 ;')
    )
    log = run()
    assert "tensorBoard" not in log
    found = scalars("a/b")
    assert [step for step, _ in found["minibatch/ce"]] == [3, 6, 9, 12]  # minibatches of all epochs, 4 in each
    assert len(found["summary/ce"]) == 3 and "summary/test_ce" not in found
    make_project(
        folder, SMALL.replace("SGD = {", 'SGD = { tensorBoardLogDir = "no" ; tensorBoardNumMBsToLogResult = 0 ;')
    )
    run("modelPath=other/m.dnn", tensorboard="option")
    assert scalars("option").keys() == {"summary/ce", "summary/learningRatePerSample"}
    assert not Path("no").exists()


def test_a_resumed_training_goes_on_in_tensorboard(folder: Path) -> None:
    run(tensorboard="tb")
    Runtime(io.StringIO(), tensorboard="tb").resume(Project(["configFile=c.cntk"], foresee=False), max_epochs=5)
    found = scalars("tb")
    assert [step for step, _ in found["minibatch/ce"]] == list(range(2, 21, 2))
    assert [step for step, _ in found["summary/ce"]] == [1, 2, 3, 4, 5]


def test_plots(folder: Path) -> None:
    run(plot="out/curves.png")
    with Image.open("out/curves.png") as image:
        assert image.format == "PNG" and image.width > 500
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 20
    run("modelPath=again/m.dnn", plot="curves.svg")
    text = Path("curves.svg").read_text()
    ElementTree.fromstring(text)
    for word in ("training", "validation", "epoch", "ce"):
        assert f"<!-- {word} -->" in text
    assert not list(folder.glob("**/*.tmp"))


def test_a_plot_after_each_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bstorch.observers.plot import Plot

    drawn: list[list[int]] = []
    draw = Plot._draw
    monkeypatch.setattr(Plot, "_draw", lambda self, training: (drawn.append(list(self._ends)), draw(self, training)))
    run(plot="p.svg")
    assert drawn == [[1], [1, 2], [1, 2, 3]]


def test_several_trainings_have_files_of_their_own(folder: Path) -> None:
    make_project(folder, TWO)
    run(plot="p.svg", tensorboard="tb/")
    assert sorted(p.name for p in folder.glob("p*")) == ["p.Other.svg", "p.Train.svg"]
    assert scalars("tb/Train")["summary/ce"] != scalars("tb/Other")["summary/ce"]


@pytest.mark.parametrize(
    ("options", "message", "place"),
    [
        ({"plot": "curves.pdf"}, "the plot 'curves.pdf' is neither a .png nor a .svg file", "curves.pdf"),
        ({"plot": "c.cntk/p.png"}, "cannot write 'c.cntk/p.png': 'c.cntk' is not a folder", "c.cntk/p.png"),
        ({"tensorboard": "c.cntk/tb"}, "cannot write to the folder 'c.cntk/tb': Not a directory", "c.cntk/tb"),
        ({"tensorboard": "c.cntk"}, "cannot write to the folder 'c.cntk': File exists", "c.cntk"),
    ],
)
def test_what_cannot_be_written_ends_a_run_before_it_trains(
    options: dict[str, str], message: str, place: str, folder: Path
) -> None:
    before = all_files(folder)
    with pytest.raises(BsError) as caught:
        run(**options)
    finding = caught.value.finding
    assert finding.message == message
    assert finding.span is not None and finding.span.text == place and finding.help
    assert all_files(folder) == before


@pytest.mark.parametrize(
    ("option", "value", "package", "extra"),
    [("tensorboard", "tb", "tensorboard", "tensorboard"), ("plot", "p.png", "matplotlib", "train"), ("progress", "on", "rich", "train")],
)  # fmt: skip
def test_packages_that_are_missing(
    option: str, value: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bstorch.observers.open.find_spec", lambda name: None)
    with pytest.raises(BsError) as caught:
        run(**{option: value})
    assert caught.value.finding.message == f"--{option} needs the package '{package}'"
    assert caught.value.finding.help == f"pip install 'bsls[{extra}]'"


def test_a_config_that_names_a_folder_for_tensorboard_runs_without_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    make_project(folder, SMALL.replace("SGD = {", 'SGD = { tensorBoardLogDir = "tb" ;'))
    log = run()
    assert "WARNING: tensorBoardLogDir has no effect, as the package 'tensorboard' is missing: pip install" in log
    assert "COMPLETED." in log


def test_a_training_goes_on_where_its_plot_cannot_be_written_any_more(folder: Path) -> None:
    Path("p.png").mkdir()
    log = run(plot="p.png")
    assert log.count("WARNING: nothing more is drawn: cannot write 'p.png': that is no ordinary file.") == 1
    assert "COMPLETED." in log

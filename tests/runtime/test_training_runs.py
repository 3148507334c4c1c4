"""Whole runs of a small config: going on after an end or a cut, events, what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch

from bsls.finding import BsError
from bsls.project.project import Project
from bstorch.main import Runtime

CONFIG = """
command = train
precision = "float" ; deviceId = -1 ; traceLevel = 1
epochs = 4 ; out = "out" ; sgd = ""
train = {
    action = "train" ; modelPath = "$out$/m"
    BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {2}
        h = Dropout (Sigmoid (ParameterTensor {(3:2)} * x + ParameterTensor {3, initValue = 0}))
        z = ParameterTensor {(2:3)} * h
        ce = CrossEntropyWithSoftmax (y, z) ; errs = ClassificationError (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; evaluationNodes = (errs) ; outputNodes = (z)
    }
    SGD = {
        maxEpochs = $epochs$ ; minibatchSize = 4 ; learningRatesPerSample = 0.1 ; momentumAsTimeConstant = 20
        dropoutRate = 0.25 ; numMBsToShowResult = 2 ; SETTINGS
    }
    reader = { readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = true
               input = { x = { dim = 2 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } } }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = [f"|x {i % 5 / 5} {i % 3 / 3} |y {i % 2} {1 - i % 2}" for i in range(22)]
    (tmp_path / "data.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "c.cntk").write_text(CONFIG.replace("SETTINGS", ""))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, config: str = "c.cntk", events: str | None = None) -> str:
    log = io.StringIO()
    Runtime(log, events).run(Project([f"configFile={config}", *arguments], foresee=False))
    return log.getvalue()


def resume(*arguments: str, **options: object) -> str:
    log = io.StringIO()
    Runtime(log).resume(Project(["configFile=c.cntk", *arguments], foresee=False), **options)  # type: ignore[arg-type]
    return log.getvalue()


def finished(log: str) -> list[str]:
    """The figures of each epoch, without times."""
    return [line.split("]: ", 1)[1].split("; epochTime")[0] for line in log.splitlines() if line.startswith("Finished")]


def test_resume_after_the_end_gives_what_one_run_gives(folder):
    whole = finished(run("out=whole"))
    first = finished(run("epochs=2"))
    rest = resume(max_epochs=4)
    assert "Found 'out/m' with its checkpoint: 2 of 4 epochs are done." in rest
    assert first + finished(rest) == whole
    assert (folder / "out/m").read_bytes() == (folder / "whole/m").read_bytes()
    assert sorted(p.name for p in (folder / "out").iterdir()) == [
        "m",
        "m.0",
        "m.1",
        "m.2",
        "m.3",
        "m.bsls.json",
        "m.ckp",
    ]


def test_a_run_that_was_cut_goes_on_with_the_same_figures(folder):
    whole = finished(run("out=whole"))
    run("epochs=3")
    for name in ("m", "m.ckp", "m.bsls.json"):
        (folder / "out" / name).rename(folder / "out" / name.replace("m", "m.3", 1))
    log = run()
    assert "Starting from checkpoint. Loading network from 'out/m.3'." in log
    assert finished(log) == whole[3:]
    assert (folder / "out/m").read_bytes() == (folder / "whole/m").read_bytes()


def test_resume_into_another_folder_leaves_the_old_files_alone(folder):
    run("epochs=2")
    before = {p.name: p.read_bytes() for p in (folder / "out").iterdir()}
    resume(to="more", max_epochs=3)
    assert {p.name: p.read_bytes() for p in (folder / "out").iterdir()} == before
    assert sorted(p.name for p in (folder / "more").iterdir() if "json" not in p.name) == ["m", "m.2", "m.ckp"]


def test_resume_never_overwrites(folder):
    run("epochs=3")
    with pytest.raises(BsError, match="would overwrite 'out/m\\.2'"):
        resume(start="out/m.1", max_epochs=5)
    assert "Nothing is left to do" in resume(max_epochs=3)


def test_a_finished_training_does_nothing(folder):
    run("epochs=2")
    assert "Final model exists: out/m\nNo further training is necessary." in run("epochs=2")


def test_a_trace_goes_on_counting_minibatches_in_the_validation(folder):
    config = CONFIG.replace("SETTINGS", "").replace(
        "* x +", "* Trace (x, say = 'seen', logFirst = 7, logFrequency = 0) +"
    )
    reader = config[config.index("reader = ") : config.rindex("}")]
    (folder / "trace.cntk").write_text(config + f"train = [ cv{reader} ]")
    log = run("epochs=2", config="trace.cntk")
    shown = [line for line in log.splitlines() if line.startswith(("------- Trace", "Finished Epoch"))]
    assert [line[:6] for line in shown] == ["------"] * 6 + ["Finish", "------"] + ["Finish"] * 3


def test_events(folder):
    run("epochs=1", events="events")
    events = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
    assert [e["event"] for e in events] == ["minibatch"] * 3 + ["epoch", "checkpoint", "done"]
    assert (events[0]["first"], events[0]["last"]) == (1, 2)
    assert events[3]["criteria"]["ce"]["samples"] == 22
    assert events[4]["model"] == "out/m"


def test_a_failing_run_says_so_in_its_events(folder):
    (folder / "data.txt").unlink()
    with pytest.raises(BsError):
        run(events="events")
    event = json.loads((folder / "events").read_text().splitlines()[-1])
    assert event["event"] == "error"
    assert event["line"] > 1


def test_a_diverged_training_ends_with_an_error(folder):
    (folder / "c.cntk").write_text(
        CONFIG.replace("CrossEntropyWithSoftmax (y, z)", "SquareError (y, z)")
        .replace("Sigmoid", "Pass")
        .replace("= 0.1", "= 1e30")
    )
    with pytest.raises(BsError) as caught:
        run()
    assert caught.value.finding.rule == "not-a-number"
    assert caught.value.finding.span is not None
    assert caught.value.finding.span.text == "1e30"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_missing(folder):
    log = run("deviceId=0")
    assert "WARNING: deviceId = 0 asks for a GPU, but PyTorch finds none here; the CPU computes." in log
    assert "GPU" not in run("deviceId=auto").replace("deviceId", "")


def test_a_model_to_adapt_that_is_missing_is_pointed_at(folder):
    text = CONFIG.replace("SETTINGS", "").replace(
        'action = "train"', 'action = "adapt" ; origModelFileName = "base.dnn"'
    )
    (folder / "a.cntk").write_text(text)
    with pytest.raises(BsError) as caught:
        run(config="a.cntk")
    span = caught.value.finding.span
    assert span is not None and span.text == '"base.dnn"'

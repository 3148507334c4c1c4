"""A kill at any moment leaves the last complete checkpoint usable, and what goes on from it ends like a run without a kill."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bsls.modelfile import v1
from bsls.modelfile.checkpoint import read_checkpoint
from processes import Result, bsls, started

CONFIG = """
command = First:Second ; deviceId = -1 ; epochs = 3 ; keep = false ; wide = 4
BrainScriptNetworkBuilder = {
    x = Input {3} ; y = Input {2}
    h = Dropout (Sigmoid (BatchNormalizationLayer {} (LinearLayer {$wide$} (x))))
    z = LinearLayer {2} (h)
    ce = CrossEntropyWithSoftmax (y, z)
    featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; outputNodes = (z)
}
SGD = {
    maxEpochs = $epochs$ ; minibatchSize = 10:8 ; learningRatesPerSample = 0.05:0.02 ; momentumAsTimeConstant = 30
    dropoutRate = 0.3:0.1 ; batchNormalizationTimeConstant = 50:0 ; gaussianNoiseInjectStd = 0.001
    keepCheckPointFiles = $keep$
}
reader = {
    readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = true
    input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } }
}
First = { action = "train" ; modelPath = "models/a.dnn" }
Second = { action = "train" ; modelPath = "models/b.dnn" }
"""
RUN = ("run", "configFile=c.cntk")
COMPLETE = re.compile(r"[ab]\.dnn(\.\d+)?")


def prepare(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    numbers = random.Random(3)
    rows = [[numbers.uniform(-1, 1) for _ in range(3)] for _ in range(37)]
    lines = [f"|x {a:.3f} {b:.3f} {c:.3f} |y {int(a > b)} {int(a <= b)}" for a, b, c in rows]
    (folder / "data.txt").write_text("\n".join(lines) + "\n")
    (folder / "c.cntk").write_text(CONFIG)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """All files of the models, by name. A note tells of the other files, and by them of every figure."""
    return {p.name: p.read_bytes() for p in (folder / "models").iterdir()} if (folder / "models").exists() else {}


def figures(result: Result) -> list[str]:
    """The epochs of a run, without times."""
    return re.findall(r"^(Finished Epoch.*); epochTime", result.err, re.MULTILINE)


def fine(result: Result) -> Result:
    assert result.code == 0, result.err[-2000:]
    return result


def check_what_a_kill_left(folder: Path) -> None:
    """What has the name of a model is one, and a model that has a checkpoint has its own."""
    for name in files(folder):
        if COMPLETE.fullmatch(name):
            model = folder / "models" / name
            v1.read(model)
            if Path(f"{model}.ckp").exists():
                read_checkpoint(f"{model}.ckp")


class Uninterrupted:
    """Runs without a kill, by the settings that they were made with."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._runs: dict[tuple[str, ...], tuple[Result, dict[str, bytes]]] = {}

    def __call__(self, *settings: str) -> tuple[Result, dict[str, bytes]]:
        if settings not in self._runs:
            folder = prepare(self._base / str(len(self._runs)))
            self._runs[settings] = fine(bsls(folder, *RUN, *settings)), files(folder)
        return self._runs[settings]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    return Uninterrupted(tmp_path_factory.mktemp("whole"))


def check_going_on(
    folder: Path, whole: tuple[Result, dict[str, bytes]], go_on: Callable[[], Result], settings: tuple[str, ...]
) -> None:
    check_what_a_kill_left(folder)
    result = fine(go_on())
    assert set(figures(result)) <= set(figures(whole[0]))
    assert files(folder) == whole[1], settings


def kills_at_every_change(
    folder: Path, whole: tuple[Result, dict[str, bytes]], settings: tuple[str, ...], step: int
) -> int:
    """Kills runs before every `step`-th change of a file in the folder of the models, and runs them again."""
    moments = range(1 + step // 2, whole[0].changes + 1, step)
    for moment in moments:
        shutil.rmtree(folder / "models", ignore_errors=True)
        killed = bsls(folder, *RUN, *settings, kill_at=moment)
        assert killed.code == -signal.SIGKILL
        check_going_on(folder, whole, lambda: bsls(folder, *RUN, *settings), (*settings, f"moment {moment}"))
    return len(moments)


@pytest.mark.parametrize("keep", ["false", "true"])
def test_kills_at_some_changes(keep: str, tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    settings = (f"keep={keep}",)
    assert kills_at_every_change(prepare(tmp_path), uninterrupted(*settings), settings, step=11) >= 6


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["false", "true"])
def test_kills_at_every_change(keep: str, tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    settings = (f"keep={keep}",)
    kills_at_every_change(prepare(tmp_path), uninterrupted(*settings), settings, step=1)


def kills_at_random(folder: Path, whole: tuple[Result, dict[str, bytes]], settings: tuple[str, ...], seed: int) -> int:
    """Kills and starts again until a run ends by itself; returns how often a training was killed."""
    moments = random.Random(seed)
    kills = 0
    longest = 0.35
    while True:
        result = started(folder, *RUN, *settings, kill_after=moments.uniform(0.1, longest))()
        if result.code != -signal.SIGKILL:
            break
        kills += "Training " in result.err
        check_what_a_kill_left(folder)
        longest += 0.01  # on a slow machine no training would ever begin
    fine(result)
    assert files(folder) == whole[1]
    assert set(figures(result)) <= set(figures(whole[0]))
    return kills


def test_kills_at_random_moments(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    settings = ("epochs=8", "wide=3000")  # large enough that much of the time is spent on writing
    kills_at_random(prepare(tmp_path), uninterrupted(*settings), settings, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_many_kills_at_random_moments(seed: int, tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    settings = ("epochs=25", "wide=20000", f"keep={'true' if seed % 2 else 'false'}")
    assert kills_at_random(prepare(tmp_path), uninterrupted(*settings), settings, seed) >= 5


def test_resume_after_kills(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    """`resume` goes on as `run` does, and `run` with the other command after it."""
    folder = prepare(tmp_path)
    whole = uninterrupted()
    for moment in (4, 14, 23, 36):
        shutil.rmtree(folder / "models", ignore_errors=True)
        assert bsls(folder, *RUN, kill_at=moment).code == -signal.SIGKILL
        check_what_a_kill_left(folder)
        resumed = fine(bsls(folder, "resume", "c.cntk", "command=First:Second"))
        assert len(re.findall(r"^Found 'models/[ab].dnn.*: \d of 3 epochs are done\.$", resumed.err, re.MULTILINE)) == 1
        assert len(re.findall(r"^(First|Second): (not begun|'models/.*)\.$", resumed.err, re.MULTILINE)) == 2
        check_going_on(folder, whole, lambda: bsls(folder, *RUN), (f"moment {moment}",))


def test_a_killed_resume_goes_on(tmp_path: Path) -> None:
    """Training for more epochs, here or in another folder: the same command again goes on, whenever it was killed."""
    longer = ("resume", "c.cntk", "command=First", "--max-epochs", "5")
    whole = prepare(tmp_path / "whole")
    fine(bsls(whole, *RUN, "command=First", "epochs=5"))
    for number, options in enumerate(((), ("--to", "models/more"))):
        base = prepare(tmp_path / f"base{number}")
        fine(bsls(base, *RUN, "command=First"))
        changes = fine(bsls(shutil.copytree(base, tmp_path / f"once{number}"), *longer, *options)).changes
        for moment in range(2, changes + 1, 6):
            folder = shutil.copytree(base, tmp_path / f"{number}-{moment}")
            assert bsls(folder, *longer, *options, kill_at=moment).code == -signal.SIGKILL
            fine(bsls(folder, *longer, *options))
            end = folder / "models" / ("more" if options else ".")
            assert (end / "a.dnn").read_bytes() == (whole / "models" / "a.dnn").read_bytes()
            assert (end / "a.dnn.ckp").read_bytes() == (whole / "models" / "a.dnn.ckp").read_bytes()
            assert not [p.name for p in end.iterdir() if p.suffix in (".tmp", ".new")]
            if options:
                assert all((folder / "models" / n).read_bytes() == b for n, b in files(base).items())


def test_what_is_half_written_is_never_a_model(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    folder = prepare(tmp_path)
    models = folder / "models"
    models.mkdir()
    for name in (
        "a.dnn.new",
        "a.dnn.new.tmp",
        "a.dnn.2.tmp",
        "a.dnn.1.new",
        "a.dnn.1.ckp",
        "a.dnn.ckp.tmp",
        "a.dnn.1.bsls.json",
    ):
        (models / name).write_bytes(b"half")
    resumed = bsls(folder, "resume", "c.cntk", "command=First")
    assert (resumed.code, resumed.last) == (
        1,
        "error: c.cntk:19:42: there is no model 'models/a.dnn' or 'models/a.dnn.N' to go on from",
    )
    (models / "b.dnn.new").write_bytes(b"half")
    fine(bsls(folder, *RUN))
    assert files(folder) == uninterrupted()[1]


def test_a_damaged_note_does_no_harm(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    folder = prepare(tmp_path)
    fine(bsls(folder, *RUN, "command=First", kill_at=0))
    shutil.rmtree(folder / "models")
    assert bsls(folder, *RUN, kill_at=30).code < 0
    notes = list((folder / "models").glob("*.bsls.json"))
    assert notes
    for text in (
        b"",
        b"{",
        b"[]",
        b'{"version": 1}',
        b'{"version": 1, "epoch": "x", "model": 3, "checkpoint": []}',
        b"\xff",
    ):
        notes[0].write_bytes(text)
        copy = shutil.copytree(folder, tmp_path / "copy")
        result = fine(bsls(copy, *RUN, "command=First"))
        assert (copy / "models" / "a.dnn").read_bytes() == uninterrupted()[1]["a.dnn"], result.err
        fine(bsls(copy, "resume", "c.cntk", "command=First", "--max-epochs", "4"))
        shutil.rmtree(copy)


@pytest.mark.parametrize("file", ["a.dnn.1", "a.dnn.1.ckp"])
def test_a_damaged_file_is_named_with_what_to_do(file: str, tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    folder = prepare(tmp_path)
    assert bsls(folder, *RUN, "keep=true", kill_at=16).code < 0
    assert sorted(files(folder)) >= ["a.dnn.0", "a.dnn.1"]
    damaged = folder / "models" / file
    damaged.write_bytes(damaged.read_bytes()[:-7])
    before = files(folder)
    result = bsls(folder, *RUN, "keep=true")
    assert result.code == 1
    assert re.fullmatch(rf"error: c\.cntk:19:42: 'models/{file}' is not a .*: it ends in the middle of .*", result.last)
    assert "delete it" in result.err
    assert files(folder) == before
    damaged.unlink()
    fine(bsls(folder, *RUN, "keep=true"))
    if not file.endswith(".ckp"):
        assert files(folder) == uninterrupted("keep=true")[1]


def test_interrupt(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    """Ctrl-C: one line, an exit code of its own, nothing half-written, and the same command goes on."""
    folder = prepare(tmp_path)
    settings = ("epochs=12", "wide=3000")
    interrupted = started(
        folder, *RUN, *settings, "--events", "events", kill_when="models/a.dnn.2", kill_with=signal.SIGINT
    )()
    assert interrupted.code == 130
    assert re.fullmatch(r"stopped (in|after) epoch \d.*; the same command goes on from there", interrupted.last)
    assert "Traceback" not in interrupted.err
    assert '"event": "error"' in (folder / "events").read_text().splitlines()[-1]
    assert not [n for n in files(folder) if n.endswith((".tmp", ".new"))]
    check_going_on(folder, uninterrupted(*settings), lambda: bsls(folder, *RUN, *settings), settings)


def test_models_of_another_run_do_not_change_initial_values(tmp_path: Path) -> None:
    """As in CNTK: where First was trained by a run of its own, the parameters of Second are the first of theirs."""
    alone, after = prepare(tmp_path / "alone"), prepare(tmp_path / "after")
    fine(bsls(alone, *RUN, "command=Second"))
    fine(bsls(after, *RUN, "command=First"))
    fine(bsls(after, *RUN))
    assert files(after)["b.dnn"] == files(alone)["b.dnn"]
    assert os.listdir(after / "models")

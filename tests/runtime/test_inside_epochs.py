"""A run that is stopped or killed within an epoch goes on at the same minibatch, and ends like a run without a stop."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
from pathlib import Path

import pytest

from processes import Result, bsls, started

CONFIG = """
command = Train ; deviceId = -1 ; epochs = 3 ; every = "" ; update = none ; rows = 100 ; control = none
Train = {
    action = "train" ; modelPath = "models/a.dnn" ; traceLevel = 1
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        h = Dropout (Sigmoid (BatchNormalizationLayer {} (LinearLayer {5} (x))))
        z = LinearLayer {2} (Dropout (h))
        ce = CrossEntropyWithSoftmax (y, z) ; err = ClassificationError (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; evaluationNodes = (err) ; outputNodes = (z)
    }
    SGD = {
        maxEpochs = $epochs$ ; minibatchSize = 4 ; learningRatesPerSample = 0.05:0.02 ; momentumAsTimeConstant = 30
        dropoutRate = 0.3:0.1 ; batchNormalizationTimeConstant = 50:0 ; gaussianNoiseInjectStd = 0.001
        gradUpdateType = $update$ ; numMBsToShowResult = 7 ; firstMBsToShowResult = 2 ; checkpointEvery = "$every$"
        AutoAdjust = { autoAdjustLR = $control$ ; numSamples4Search = 20 }
    }
    reader = {
        readerType = "CNTKTextFormatReader" ; file = "data.txt" ; randomize = true
        input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } }
    }
}
"""
RUN = ("run", "configFile=c.cntk")


def prepare(folder: Path, rows: int = 100) -> Path:
    folder.mkdir(exist_ok=True)
    numbers = random.Random(3)
    drawn = [[numbers.uniform(-1, 1) for _ in range(3)] for _ in range(rows)]
    lines = [f"|x {a:.3f} {b:.3f} {c:.3f} |y {int(a > b)} {int(a <= b)}" for a, b, c in drawn]
    (folder / "data.txt").write_text("\n".join(lines) + "\n")
    (folder / "c.cntk").write_text(CONFIG)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (folder / "models").iterdir()}


def figures(*results: Result) -> list[str]:
    """The lines with criteria, without times and percents."""
    found = [
        re.sub(r"; (epochTime|time) = ?.*|; epochTime=.*|, +[\d.]+%", "", line)
        for r in results
        for line in r.err.splitlines()
    ]
    return [line for line in found if "Epoch[" in line]


def fine(result: Result) -> Result:
    assert result.code == 0, result.err[-2000:]
    return result


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], tuple[Result, dict[str, bytes]]]:
    """Runs without a stop and without states within epochs, by their settings."""
    base, found = tmp_path_factory.mktemp("whole"), {}
    for number, settings in enumerate([(), ("update=fsAdagrad",), ("control=searchBeforeEpoch",)]):
        folder = prepare(base / str(number))
        found[settings] = fine(bsls(folder, *RUN, *settings)), files(folder)
    return found


SETTINGS = pytest.mark.parametrize("settings", [(), ("update=fsAdagrad",), ("control=searchBeforeEpoch",)], ids=str)


def kills(folder: Path, settings: tuple[str, ...], whole: dict, first: int, steps: int) -> int:
    """Kills runs at changes of files, from the `first` one on, and lets them go on: all that is computed and printed is the
    same, to the last bit, and nothing stays behind. Gives the number of kills."""
    expected, models = whole[settings]
    changes = fine(bsls(prepare(folder / "once"), *RUN, *settings, "every=3")).changes
    prepare(folder)
    within, moments = 0, range(first, changes, max(1, changes // steps))
    for moment in moments:
        shutil.rmtree(folder / "models", ignore_errors=True)
        killed = bsls(folder, *RUN, *settings, "every=3", kill_at=moment)
        assert killed.code == -signal.SIGKILL
        again = fine(bsls(folder, *RUN, *settings, "every=3"))
        within += "Going on after" in again.err
        assert set(figures(killed, again)) == set(figures(expected))
        assert files(folder) == models
    assert within >= len(moments) // 2  # others fall into the end of an epoch
    return len(moments)


@SETTINGS
def test_killed_within_epochs(settings: tuple[str, ...], tmp_path: Path, whole) -> None:
    assert kills(tmp_path, settings, whole, 5, 6) >= 6


@pytest.mark.slow
@SETTINGS
def test_killed_at_every_change(settings: tuple[str, ...], tmp_path: Path, whole) -> None:
    assert kills(tmp_path, settings, whole, 1, 1000) >= 100


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_state(number: int, code: int, tmp_path: Path) -> None:
    whole = fine(bsls(prepare(tmp_path / "whole", 3000), *RUN))
    folder = prepare(tmp_path / "stopped", 3000)
    stopped = started(folder, *RUN, "every=50", kill_when="models/a.dnn.inside", kill_with=number)()
    assert stopped.code == code, stopped.err[-500:]
    assert re.search(r"^stopped in epoch 1 of 3: \d+ of its minibatches are done and saved; ", stopped.last)
    assert (folder / "models" / "a.dnn.inside").exists()
    resumed = fine(bsls(folder, "resume", "c.cntk"))
    assert re.search(r"^Going on after \d+ minibatches of this epoch\.$", resumed.err, re.MULTILINE)
    assert files(folder) == files(tmp_path / "whole")
    assert figures(stopped, resumed) == figures(whole)


def test_a_state_of_another_run_does_not_count(tmp_path: Path, whole) -> None:
    folder = prepare(tmp_path)
    killed = bsls(folder, *RUN, "every=3", kill_at=12)
    assert killed.code == -signal.SIGKILL
    state = (folder / "models" / "a.dnn.inside").read_bytes()
    shutil.rmtree(folder / "models")
    fine(bsls(folder, *RUN, "update=fsAdagrad", "epochs=1"))
    os.rename(folder / "models" / "a.dnn", folder / "models" / "a.dnn.1")
    (folder / "models" / "a.dnn.inside").write_bytes(state)
    assert "Going on after" not in fine(bsls(folder, *RUN, "update=fsAdagrad")).err
    assert not (folder / "models" / "a.dnn.inside").exists()


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_damaged_state_is_said(keep: float, tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    bsls(folder, *RUN, "every=3", kill_at=12)
    state = folder / "models" / "a.dnn.inside"
    content = state.read_bytes()
    state.write_bytes(content[: int(len(content) * keep)])
    result = bsls(folder, *RUN, "every=3")
    assert result.code == 1
    assert "'models/a.dnn.inside' is damaged" in result.last
    assert "delete it: training then goes on from the beginning of the epoch" in result.err
    assert "Traceback" not in result.err


def test_every_few_seconds(tmp_path: Path, whole) -> None:
    folder = prepare(tmp_path)
    fine(bsls(folder, *RUN, "every=0.001 s"))
    assert files(folder) == whole[()][1]


@pytest.mark.parametrize("text", ["often", "-1", "3 weeks"])
def test_no_interval(text: str, tmp_path: Path) -> None:
    result = bsls(prepare(tmp_path), *RUN, f"every={text}")
    assert result.code == 1
    assert "checkpointEvery" in result.err and "30 s or 5 min" in result.err


def begun(folder: Path) -> Path:
    """A run that has ended after its first epoch of three."""
    prepare(folder)
    fine(bsls(folder, *RUN, "epochs=1"))
    return folder


def test_another_network_is_refused(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (folder / "c.cntk").write_text(CONFIG.replace("LinearLayer {5}", "LinearLayer {6}"))
    refused = bsls(folder, "resume", "c.cntk", "--max-epochs", "2")
    assert refused.code == 1
    assert re.search(
        r"c.cntk:\d+:\d+: the config describes another network than that of 'models/a.dnn': '.*' has shape \[6",
        refused.last,
    )
    assert "or give --force to go on with the network of the model" in refused.err
    assert "Going on with" not in refused.err
    assert "[5 x 3]" in fine(bsls(folder, "resume", "c.cntk", "--max-epochs", "2", "--force")).err


def test_a_new_layer_is_named(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    z = "z = LinearLayer {2} (Dropout (h))"
    (folder / "c.cntk").write_text(CONFIG.replace(z, z.replace("z =", "k = Tanh (h) ; z =").replace("(h))", "(k))")))
    assert "'k' is new" in bsls(folder, "resume", "c.cntk", "--max-epochs", "2").last


def test_a_network_that_cannot_be_made_any_more_is_said(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (folder / "c.cntk").write_text(CONFIG.replace("Sigmoid (", "Sigmoidal ("))
    assert "unknown identifier 'Sigmoidal'" in bsls(folder, "resume", "c.cntk", "--max-epochs", "2").last
    fine(bsls(folder, "resume", "c.cntk", "--max-epochs", "2", "--force"))


def test_other_data_are_refused(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with (folder / "data.txt").open("a") as file:
        file.write("|x 1 2 3 |y 0 1\n")
    refused = bsls(folder, "resume", "c.cntk", "--max-epochs", "2")
    assert refused.code == 1
    assert re.search(
        r"the data have changed since 'models/a.dnn' was trained: 'data.txt' has \d+ bytes, then \d+$", refused.last
    )
    fine(bsls(folder, "resume", "c.cntk", "--max-epochs", "2", "--force"))


def test_what_is_as_it_was_is_not_refused(tmp_path: Path) -> None:
    """Other settings of the training and spaces in the config do no harm."""
    folder = begun(tmp_path)
    (folder / "c.cntk").write_text(
        CONFIG.replace("z = Lin", "z  =  Lin").replace("dropoutRate = 0.3", "dropoutRate = 0.2")
    )
    fine(bsls(folder, "resume", "c.cntk", "--max-epochs", "2"))


def test_the_state_within_an_epoch_goes_along_to_another_folder(tmp_path: Path, whole) -> None:
    folder = prepare(tmp_path)
    assert bsls(folder, *RUN, "every=3", kill_at=20).code == -signal.SIGKILL
    resumed = fine(bsls(folder, "resume", "c.cntk", "--to", "models/more"))
    assert "Going on after" in resumed.err
    assert (folder / "models" / "more" / "a.dnn").read_bytes() == whole[()][1]["a.dnn"]


def test_a_state_within_an_epoch_of_other_data_does_not_count(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    assert bsls(folder, *RUN, "every=3", kill_at=12).code == -signal.SIGKILL
    (folder / "data.txt").write_text((folder / "data.txt").read_text().replace("0 1", "1 0", 1))
    again = fine(bsls(folder, *RUN))
    assert (
        "WARNING: the data are others now: 'data.txt' has other content of the same size. The epoch begins anew."
        in again.err
    )
    assert "Going on after" not in again.err

"""`bsls resume`: where it goes on from, where it writes to, and that nothing is lost by it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from processes import Result, bsls
from small_project import all_files, changed, make_project

KEEPING = changed(
    ("maxEpochs = 3", "maxEpochs = 3 ; keepCheckPointFiles = true"), ("command = Train:Test", "command = Train")
)
MORE = ("--max-epochs", "5")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs in `models`, and five in one run in `whole`."""
    folder = make_project(tmp_path_factory.mktemp("trained"), KEEPING)
    assert bsls(folder, "run", "configFile=c.cntk").code == 0
    assert bsls(folder, "run", "configFile=c.cntk", "modelPath=whole/m.dnn", "Train=[SGD=[maxEpochs=5]]").code == 0
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "project")


def resume(folder: Path, *arguments: str) -> Result:
    return bsls(folder, "resume", "c.cntk", *arguments)


def found(result: Result) -> str:
    """The one line that says what was found."""
    assert result.code == 0, result.err
    (line,) = re.findall("^Found .*", result.err, re.MULTILINE)
    return line


def same_end(folder: Path, models: str = "models") -> bool:
    names = ("m.dnn", "m.dnn.4", "m.dnn.ckp", "m.dnn.4.ckp")
    return all((folder / models / n).read_bytes() == (folder / "whole" / n).read_bytes() for n in names)


def test_after_the_end(folder: Path) -> None:
    before = all_files(folder)
    nothing = resume(folder)
    assert found(nothing) == "Found 'models/m.dnn' with its checkpoint: 3 of 3 epochs are done."
    assert nothing.last == "Nothing is left to do; --max-epochs with more than 3 goes on."
    assert all_files(folder) == before
    more = resume(folder, *MORE)
    assert found(more) == "Found 'models/m.dnn' with its checkpoint: 3 of 5 epochs are done."
    assert "It is kept as 'models/m.dnn.3'." in more.err
    assert re.search(
        r"^Going on with epoch 4, at a learning rate of [\d.e-]+ per sample; models are written to 'models/m.dnn.4' and so on\.$",
        more.err,
        re.MULTILINE,
    )
    assert same_end(folder)
    assert (folder / "models/m.dnn.3").read_bytes() == before["models/m.dnn"]
    assert resume(folder, *MORE).last == "Nothing is left to do; --max-epochs with more than 5 goes on."
    assert (
        found(resume(folder)) == "Found 'models/m.dnn' with its checkpoint: 5 epochs are done, more than maxEpochs = 3."
    )


def test_in_the_middle(folder: Path) -> None:
    for name in ("m.dnn", "m.dnn.ckp", "m.dnn.bsls.json"):
        (folder / "models" / name).unlink()
    result = resume(folder, *MORE)
    assert found(result) == "Found 'models/m.dnn.2' with its checkpoint: 2 of 5 epochs are done."
    assert "It is kept" not in result.err
    assert same_end(folder)


def test_from_the_beginning(folder: Path) -> None:
    for path in (folder / "models").iterdir():
        if path.name != "m.dnn.0":
            path.unlink()
    assert found(resume(folder, *MORE)) == "Found 'models/m.dnn.0', the initial model: 0 of 5 epochs are done."
    assert same_end(folder)


def test_from_a_model(folder: Path) -> None:
    before = all_files(folder)
    refused = resume(folder, "--from", "models/m.dnn.1", *MORE)
    assert (refused.code, refused.last) == (
        1,
        "error: c.cntk:2:13: going on from 'models/m.dnn.1' would overwrite 'models/m.dnn.2'",
    )
    assert "give --to FOLDER for the new files, or move that model away" in refused.err
    assert all_files(folder) == before
    result = resume(folder, "--from", "models/m.dnn.1", "--to", "new/deep", *MORE)
    assert found(result) == "Found 'models/m.dnn.1' with its checkpoint: 1 of 5 epochs are done."
    assert {n: b for n, b in all_files(folder).items() if not n.startswith("new/")} == before
    assert same_end(folder, "new/deep")


def test_to_another_folder(folder: Path) -> None:
    before = all_files(folder)
    assert (
        found(resume(folder, "--to", "new", *MORE))
        == "Found 'models/m.dnn' with its checkpoint: 3 of 5 epochs are done."
    )
    assert {n: b for n, b in all_files(folder).items() if not n.startswith("new/")} == before
    assert same_end(folder, "new")
    again = resume(folder, "--to", "new", *MORE)
    assert found(again) == "Found 'new/m.dnn' with its checkpoint: 5 of 5 epochs are done."
    longer = resume(folder, "--to", "new", "--max-epochs", "6")
    assert found(longer) == "Found 'new/m.dnn' with its checkpoint: 5 of 6 epochs are done."


def test_a_folder_with_other_models_is_left_alone(folder: Path) -> None:
    (folder / "new").mkdir()
    (folder / "new/m.dnn").write_bytes(b"of somebody else")
    before = all_files(folder)
    result = resume(folder, "--to", "new", *MORE)
    assert (result.code, result.last) == (
        1,
        "error: c.cntk:2:13: going on from 'models/m.dnn' would overwrite 'new/m.dnn'",
    )
    assert all_files(folder) == before


def test_without_checkpoint(folder: Path) -> None:
    for path in (folder / "models").glob("*.ckp"):
        path.unlink()
    result = resume(folder, "--to", "new", *MORE)
    assert (
        found(result)
        == "Found 'models/m.dnn' without its checkpoint, so that momentum begins anew: 3 of 5 epochs are done."
    )
    assert "Warning: Checkpoint file is missing." in result.err
    assert (folder / "new/m.dnn").read_bytes() != (folder / "whole/m.dnn").read_bytes()


def test_a_final_model_without_anything_beside_it_has_the_epochs_of_the_config(folder: Path) -> None:
    for path in (folder / "models").iterdir():
        if path.name != "m.dnn":
            path.unlink()
    assert "3 of 5 epochs are done." in found(resume(folder, *MORE))


def test_a_checkpoint_of_another_model_is_not_used(folder: Path) -> None:
    shutil.copy(folder / "models/m.dnn.1", folder / "models/m.dnn.2")
    (folder / "models/m.dnn").unlink()
    (folder / "models/m.dnn.1.ckp").unlink()
    (folder / "models/m.dnn.1.bsls.json").unlink()
    result = resume(folder, *MORE)
    assert found(result).startswith(
        "Found 'models/m.dnn.2' without its checkpoint, so that momentum begins anew: 2 of 5"
    )
    assert (
        "'models/m.dnn.2.ckp' was written for another model than 'models/m.dnn.2' is now; it is not used" in result.err
    )


def test_what_cannot_be_resumed(folder: Path) -> None:
    before = all_files(folder)
    for arguments, message in {
        ("--from", "no.dnn"): "<command line>:1:8: the model 'no.dnn' does not exist",
        ("--from", "models"): "<command line>:1:8: the model 'models' does not exist",
        ("--from", "data.txt"): "<command line>:1:8: 'data.txt' is not a CNTK model, or a damaged one: "
        "it has something else than the mark 'BCN' at byte 0, in the header",
        (
            "--from",
            "models/m.dnn.ckp",
        ): "<command line>:1:8: 'models/m.dnn.ckp' is a training checkpoint, not a CNTK model",
        ("--to", "c.cntk"): "<command line>:1:6: cannot write 'c.cntk': 'c.cntk' is not a folder",
        ("command=Test",): "<command line>:1:9: none of the commands trains",
        ("command=Trian",): "<command line>:1:9: there is no section 'Trian' to run",
        ("modelPath=new/m.dnn",): "<command line>:1:11: there is no model 'new/m.dnn' or 'new/m.dnn.N' to go on from",
        ("modelPath=models/",): "<command line>:1:11: modelPath = models/: this is a folder",
    }.items():
        result = resume(folder, *arguments, *MORE)
        assert (result.code, result.last) == (1, f"error: {message}")
        assert "  help: " in result.err and "Traceback" not in result.err
    assert all_files(folder) == before


def test_several_trainings(tmp_path: Path) -> None:
    """The one that was begun and has not ended; else it must be said which one."""
    two = changed(
        ("Test =", 'Again = { action = "train" ; modelPath = "models/again.dnn" }\nTest ='),
        ("command = Train:Test", "command = Train:Again"),
    )
    builder = two[two.index("    BrainScript") : two.index("    SGD")]
    settings = two[two.index("    SGD") : two.index("\n}\nAgain")]
    folder = make_project(tmp_path, two.replace(builder, "").replace(settings, "") + builder + settings + "\n")
    unclear = resume(folder)
    assert (unclear.code, unclear.last) == (2, "error: c.cntk:1:11: several commands train: Train, Again")
    assert "say which one: command=NAME" in unclear.err
    assert bsls(folder, "run", "configFile=c.cntk", kill_at=50).code < 0
    begun = resume(folder)
    assert found(begun).startswith("Found 'models/again.dnn.")
    assert resume(folder).code == 2
    assert found(resume(folder, "command=Train", "--max-epochs", "4")).startswith("Found 'models/m.dnn' with")


def test_the_first_number_that_is_not_finite(folder: Path) -> None:
    result = resume(folder, *MORE, "--detect-anomaly", "Train=[SGD=[learningRatesPerSample=1e38]]")
    assert result.code == 1
    assert "is not finite" in result.last

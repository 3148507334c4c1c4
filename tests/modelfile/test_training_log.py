"""Networks are read back from logs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.modelfile import training_log

LOGS = sorted(
    p
    for p in (Path(__file__).parents[1] / "golden").rglob("log.txt")
    if "Validating -->" in p.read_text(errors="replace")
)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.parts[-3])
def test_logs_of_the_reference(path: Path) -> None:
    """Each node of the first network is as its last line says it, unless that shows an operand of a loop too early."""
    networks = re.split(r"Validating network\. \d+ nodes to process in pass 1\.", path.read_text(errors="replace"))
    lines = {line.split()[0]: line for line in re.findall(r"Validating --> (\S+ = .*)", networks[1])}
    network = training_log.read(path)
    assert {node.name for node in network} == set(lines)
    for node in network:
        call, _, shape = lines[node.name].partition(" : ")
        assert node.prototype.startswith(call)
        if not node.is_parameter:
            assert node.prototype.endswith(shape.rpartition(" -> ")[2])


def test_what_a_log_tells(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        "01/02/2020 10:00:00: Validating network. 4 nodes to process in pass 1.\n\n"
        "01/02/2020 10:00:00: Validating --> W = LearnableParameter() :  -> [2 x 0]\n"
        "Validating --> x = InputValue() :  -> [3 x *]\n"
        "Validating --> p = Times (W, x) : [2 x 0], [3 x *] -> [2 x *]\n"
        "Validating --> r = RowRepeat (p, numRepeats=4) : [2 x *], numRepeats=4 -> [8 x *]\n"
        "\nValidating network. 4 nodes to process in pass 2.\n\n"
        "Validating --> p = Times (W, x) : [2 x 3], [3 x *] -> [2 x *]\n"
        "Validating network. 1 nodes to process in pass 1.\n\n"
        "Validating --> other = InputValue() :  -> [3 x *]\n"
    )
    network = training_log.read(path)
    assert [n.prototype for n in network if n.inputs] == [
        "p = Times (W, x) : [2 x 3], [3 x *] -> [2 x *]",
        "r = RowRepeat (p, numRepeats=4) : [2 x *], numRepeats=4 -> [8 x *]",
    ]
    assert (network["W"].attributes, len(network)) == ({"dims": (2, 3)}, 4)


@pytest.mark.parametrize(("text", "words"), [
    ("command = train\n", "neither a model nor a log"),
    ("Validating --> p = Tanh (x) : [2 x *] -> [2 x *]\n", "no line about 'x', an input of 'p'"),
])  # fmt: skip
def test_what_is_no_log(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(text)
    assert training_log.is_log(tmp_path / "log")
    with pytest.raises(BsError, match=words):
        training_log.read(tmp_path / "log")

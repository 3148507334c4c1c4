"""Actions that make files from data: createLabelMap and writeWordAndClass."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.finding import BsError, Severity
from bsls.project.files import Files
from bsls.project.project import Project
from bstorch.main import Runtime


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(config: str) -> str:
    Path("c.cntk").write_text(f"command = U ; traceLevel = 1\n{config}\n")
    log = io.StringIO()
    Runtime(log).run(Project(["configFile=c.cntk"], foresee=False))
    return log.getvalue()


def fails(config: str, checked: bool = True) -> str:
    """`place: message` of the error that ends a run; the check finds the same one where it does not need the data."""
    with pytest.raises(BsError) as raised:
        run(config)
    finding = raised.value.finding
    errors = [f for f in check_config(["configFile=c.cntk"], Files())[0] if f.severity == Severity.ERROR]
    assert [str(f.span) for f in errors] == [str(finding.span)] * checked
    return f"{finding.span}: {finding.message}"


# --- label maps ------------------------------------------------------------------------------------------------------

MAP = """U = [ action = createLabelMap ; section = S ]
S = [ reader = [ readerType = UCIFastReader ; file = t.txt ; features = [ dim = 2 ; start = 0 ]
    labels = [ start = 2 ; dim = 1 ; labelDim = 3 ; labelMappingFile = "o/names.txt" ] ] ]"""


def test_labels_in_order_of_appearance() -> None:
    Path("t.txt").write_text("1 2 b\n\n3\t4\ta\n 5 6 b\n")
    assert "read 3 labels and produced o/names.txt" in run(MAP)
    assert Path("o/names.txt").read_text() == " b \n a \n"
    Path("t.txt").unlink()
    assert "already exists, no work to do." in run(MAP)


def test_other_delimiters() -> None:
    Path("t.txt").write_text("1;2;b b\n3;4; a\n")
    run(MAP.replace("file = t.txt", 'file = t.txt ; customDelimiter = ";"'))
    assert Path("o/names.txt").read_text() == " b b \n a \n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("section = S", "section = T", "c.cntk:2:43: section = T: there is no such section"),
        ("[ reader =", "[ raeder =", "c.cntk:2:43: section = S: this section has no reader"),
        ("UCIFastReader", "HTKMLFReader", "c.cntk:3:31: readerType = HTKMLFReader: only text tables are searched"),
        ('start = 2 ; dim = 1 ; labelDim = 3 ; labelMappingFile = "o/names.txt"', "start = 2", "c.cntk:2:43: section = S: its reader has no labels"),
    ],
)  # fmt: skip
def test_no_labels(old: str, new: str, expected: str) -> None:
    Path("t.txt").write_text("1 2 b\n")
    assert fails(MAP.replace(old, new)).startswith(expected)


def test_a_line_without_a_label() -> None:
    Path("t.txt").write_text("1 2 b\n1 2\n")
    assert "line 2 of 't.txt' has 2 columns, but labels are in column 2" in fails(MAP, checked=False)
    assert not Path("o/names.txt").exists()
    Path("t.txt").unlink()
    assert "cannot be read" in fails(MAP, checked=False)


# --- words -----------------------------------------------------------------------------------------------------------

WORDS = """U = [ action = writeWordAndClass ; inputFile = "t.txt" ; outputVocabFile = "o/vocab.txt"
    outputMappingFile = "o/map.txt" ; outputWord2Cls = "o/w2c.txt" ; outputCls2Index = "o/c2i.txt"
    vocabSize = 6 ; nbrClass = 2 ; beginSequence = "</s>" ; endSequence = "</s>" ]"""
TEXT = "the cat sat\n</s> the dog ran </s>\nthe cat ran\nthe cat sat on a mat\n"


def test_words_in_classes() -> None:
    """Of 19 words, the first of each sentence not counted, 6 are rare or beyond the vocabulary. With the frequencies
    6, 4, 4, 3 and 2 of 19 the roots add up to half of their sum at the third word."""
    Path("t.txt").write_text(TEXT)
    log = run(WORDS)
    rows = [line.split("\t") for line in Path("o/vocab.txt").read_text().splitlines()]
    assert [(int(i), int(n), w, int(c)) for i, n, w, c in rows] == [
        (0, 6, "<unk>", 0), (1, 4, "</s>", 0), (2, 4, "the", 1), (3, 3, "cat", 1), (4, 2, "ran", 1),
    ]  # fmt: skip
    assert Path("o/vocab.txt").read_text().startswith("     0\t     6\t<unk>\t0\n")
    assert Path("o/map.txt").read_text() == "<unk>\n</s>\nthe\ncat\nran\n"
    assert Path("o/w2c.txt").read_text() == "0\n0\n1\n1\n1\n" and Path("o/c2i.txt").read_text() == "0\n2\n"
    for line in (
        "Class-to-index map --> o/c2i.txt", "Vocabulary size 9.", "\t\tWe will change to actual vocabulary size: 5",
        "Created vocabulary file with 9 entries.", "Created class-to-index map with 2 entries.",
    ):  # fmt: skip
        assert line in log


def test_words_without_classes() -> None:
    Path("t.txt").write_text("b a\nb Ä\n", encoding="utf-8")
    run(WORDS.replace("nbrClass = 2", "cutoff = 0").replace('"</s>" ; end', '"<s>" ; end'))
    assert Path("o/vocab.txt").read_text("utf-8") == (
        "     0\t     2\t</s>\t0\n     1\t     2\t<s>\t0\n     2\t     1\ta\t0\n     3\t     2\tb\t0\n     4\t     1\tÄ\t0\n"
    )
    assert not Path("o/w2c.txt").exists()


def test_what_is_there_is_made_again_only_when_the_text_is_newer() -> None:
    Path("t.txt").write_text(TEXT)
    run(WORDS)
    assert "All output files up to date." in run(WORDS)
    os.utime("t.txt", (2e9, 2e9))
    assert "Created vocabulary file" in run(WORDS)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("vocabSize = 6", "vocabSize = 0", "c.cntk:4:17: vocabSize = 0: a number of at least 1"),
        ("nbrClass = 2", "nbrClass = -1", "c.cntk:4:32: nbrClass = -1: a number of classes"),
        ('; endSequence = "</s>"', "", "c.cntk:2:"),
        ('outputCls2Index = "o/c2i.txt"', "", "c.cntk:2:"),
    ],
)  # fmt: skip
def test_wrong_settings(old: str, new: str, expected: str) -> None:
    Path("t.txt").write_text(TEXT)
    assert fails(WORDS.replace(old, new)).startswith(expected)


def test_texts_without_words() -> None:
    assert fails(WORDS, checked=False).startswith("c.cntk:2:48: inputFile = t.txt: cannot be read")
    Path("t.txt").write_text("a b c\n")
    assert "no word of 't.txt' comes more than 1 times" in fails(WORDS, checked=False)

"""Texts that nobody meant, of any size: one finding each, soon, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.project.files import MAX_TEXT, Files
from bsls.source import Source
from bsls.syntax.raw import leaves, raw_tree
from processes import bsls
from small_project import changed, make_project

LAYER = "z = LinearLayer {2} (x)"
MILLION = 1_000_000


def network(text: str) -> str:
    return changed((LAYER, text))


TEXTS: dict[str, tuple[str | bytes, str]] = {
    "a string of the config": (
        changed(('action = "train"', 'action = "train')), "c.cntk:9:14: no closing \" found for this \"",
    ),
    "a string of the network": (network("z = Print ('x)"), "c.cntk:13:20: string without closing quotation mark"),
    "a comment of the network": (network(f"{LAYER} /* x"), "c.cntk:13:33: comment without closing */"),
    "a bracket of the config": (changed(("SGD = {", "SGD =\n")), "c.cntk:17:5: no value given for 'SGD'"),
    "a bracket of the network": (network("z = LinearLayer {2 (x)"), "c.cntk:13:25: no closing } found for this {"),
    "a bracket of a network in parentheses": (
        changed(
            ("BrainScriptNetworkBuilder = {", "BrainScriptNetworkBuilder = (new ComputationNetwork ["),
            (LAYER, "z = LinearLayer {2 (x)"),
            ("outputNodes = (z)\n    }", "outputNodes = (z)\n    ])"),
        ),
        "c.cntk:13:25: no closing } found for this {",
    ),
    "a bracket in the next line": (
        changed(("SGD = {", "SGD =\n    {")), "c.cntk:17:5: no value given for 'SGD': the bracket that opens it",
    ),
    "NULs": (b"a = 1\0\0", "c.cntk:1:1: 'c.cntk' is not a text file"),
    "no UTF-8": (changed((LAYER, "z = F\u00e4 (x)")).encode("latin-1"), "c.cntk:13:14: unexpected character: \u00e4"),
    "10 MB of [": ("[" * 10 * MILLION, f"c.cntk:1:1: 'c.cntk' is longer than {MAX_TEXT} characters"),
    "10 MB of ]": ("]" * 10 * MILLION, f"c.cntk:1:1: 'c.cntk' is longer than {MAX_TEXT} characters"),
    "1 MB of [": ("[" * MILLION, "c.cntk:1:501: more than 500 brackets are open here"),
    "1 MB of ]": ("]" * MILLION, "c.cntk:1:1: more than 100 brackets or quotes do not match, the first one here"),
    "1 MB of quotes": ("a = " + '"' * (MILLION + 1), 'c.cntk:1:1000005: no closing " found for this "'),
    "100,000 parentheses": (
        network("z = " + "(" * 100_000 + "x" + ")" * 100_000), "c.cntk:13:511: more than 500 brackets are open here",
    ),
    "100,000 signs": (network("z = " + "-" * 100_000 + "x"), "c.cntk:13:9: the parts of this expression are more than 10000 inside one another"),
    "a circle of variables": (
        changed(("models/m.dnn", "$a$"), ("deviceId = -1", "a = $b$\nb = $a$")), "c.cntk:4:5: $a$ is defined by itself",
    ),
    "an include of nothing": ("include=no.cntk\n" + changed(), "c.cntk:1:9: cannot read 'no.cntk'"),
    "an include of nothing in a network": (
        network(f'include "no.bs"\n{LAYER}'), "c.cntk:13:17: the included file 'no.bs' does not exist",
    ),
    "a circle in a network": (network(f'include "round.bs"\n{LAYER}'), "round.bs:2:9: 'round.bs' is included by itself"),
    "a mistake in an included file": (network(f'include "bad.bs"\n{LAYER}'), "bad.bs:2:6: ')' expected before the end"),
    "a mistake in a config that is included": ("include=bad.cntk\n" + changed(), "bad.cntk:1:5: no closing ) found"),
}  # fmt: skip
INCLUDED = {"round.bs": 'a = 1\ninclude "round.bs"\n', "bad.bs": "a = 1\nb = (a\n", "bad.cntk": "a = (1:2\n"}


@pytest.mark.parametrize("name", TEXTS)
def test_one_finding(name: str, tmp_path: Path) -> None:
    text, expected = TEXTS[name]
    make_project(tmp_path, text)
    for included, content in INCLUDED.items():
        (tmp_path / included).write_text(content)
    result = bsls(tmp_path, "check", "c.cntk", "--format", "json")
    assert (result.code, "Traceback" in result.err) == (1, False)
    found = [d for d in json.loads(result.out)["diagnostics"] if d["severity"] == "error"]
    shown = [
        f"{d['path']}:{d['range']['start']['line'] + 1}:{d['range']['start']['character'] + 1}: {d['message']}"
        for d in found
    ]
    assert len(shown) == 1 and shown[0].startswith(expected), shown
    run = bsls(tmp_path, "run", "configFile=c.cntk")
    assert (run.code, "Traceback" in run.err) == (1, False)
    assert run.last.startswith("error: ")


@pytest.mark.parametrize("name", TEXTS)
def test_trees_lose_nothing(name: str, tmp_path: Path) -> None:
    content = TEXTS[name][0]
    text = content if isinstance(content, str) else content.decode("latin-1")
    assert "".join(piece.text for piece in leaves(raw_tree(Source("c.cntk", text)))) == text
    make_project(tmp_path, content)
    if len(text) > MAX_TEXT or "\0" in text:
        with pytest.raises(BsError):
            Files(str(tmp_path)).source("c.cntk")


def test_a_config_that_includes_itself_is_a_warning(tmp_path: Path) -> None:
    make_project(tmp_path, "include=c.cntk\n" + changed())
    result = bsls(tmp_path, "check", "configFile=c.cntk")
    assert (result.code, "c.cntk:1:9: warning: 'c.cntk' is included by itself" in result.out) == (0, True)


def test_a_bracket_too_many_at_the_end_is_a_warning(tmp_path: Path) -> None:
    make_project(tmp_path, changed() + "}\n")
    result = bsls(tmp_path, "check", "c.cntk")
    assert (result.code, "c.cntk:22:1: warning: unmatched '}'" in result.out) == (0, True)
    assert bsls(tmp_path, "run", "configFile=c.cntk").code == 0


def test_a_bracket_too_many_that_does_harm_is_an_error(tmp_path: Path) -> None:
    make_project(tmp_path, network("z = BatchNormalizationLayer spatialRank = 0} (x)"))
    result = bsls(tmp_path, "check", "c.cntk")
    assert (result.code, "c.cntk:13:52: error: unmatched '}'" in result.out) == (1, True), result.out


def test_included_files_are_found_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    make_project(tmp_path / "sub", network('include "elsewhere/layer.bs"'))
    (tmp_path / "sub" / "layer.bs").write_text(f"{LAYER}  // the end")
    (tmp_path / "data.txt").write_bytes((tmp_path / "sub" / "data.txt").read_bytes())
    assert bsls(tmp_path, "check", "configFile=sub/c.cntk").code == 0
    assert bsls(tmp_path, "run", "configFile=sub/c.cntk").code == 0

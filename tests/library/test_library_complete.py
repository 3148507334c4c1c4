"""The library defines what that of CNTK 2.7 defines: `functions.txt` lists its names, parameters and defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bsls.library.index import definition, library
from bsls.resolve.docs import doc_above
from bsls.resolve.scopes import PRELUDE
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import parse_member

SIGNATURES = {line.split(" ")[0]: line for line in Path(__file__).with_name("functions.txt").read_text().splitlines()}

NEVER_EVALUATED = {
    "Embedding": {"inputDim": "None"},
    "BS.Loop.PreviousOrDefault": {"defaultValue": "None"},
    "BS.Loop.NextOrDefault": {"defaultValue": "None"},
    "BS.Parameters.StabilizeElements": {"inputDim": "None"},
    "BS.RNNs.LSTMP": {"cellDim": "None", "auxDim": "0"},
    "BS.RNNs.GRU": {"cellDim": "None", "inputDim": "0", "auxDim": "0"},
    "BS.RNNs.RecurrentGRU": {"cellDim": "None", "inputDim": "0"},
    "BS.RNNs.RecurrentGRUStack": {"cellDims": "None", "inputDim": "0"},
    "BS.RNNs.RecurrentBidirectionalLSTMPStack": {"cellDims": "None", "inputDim": "0"},
    "BS.RNNs.RecurrentBidirectionalGRUStack": {"cellDims": "None", "inputDim": "0"},
}
"""Defaults that CNTK 2.7 fails to evaluate, and what they are here."""


def found(name: str) -> tree.Member | None:
    first, *rest = name.split(".")
    member = definition(first) if first in library() else None
    for part in rest:
        assert member is not None and isinstance(member.value, tree.Record)
        member = member.value.members.get(part)
    return member


def plain(text: str) -> str:
    """A default without what is only a matter of style."""
    text = re.sub(r"\s+|(?<=\d)\.0+(?!\d)", "", text).replace('"', "'")
    return text.replace("Constants.None", "None").replace("BS.None", "None")


def parameters(name: str, member: tree.Member) -> dict[str, str | None]:
    """Names and defaults; another name of a function has those of the function."""
    if isinstance(member.value, tree.Name):
        name = ".".join([*name.split(".")[:-1], member.value.id])
        other = found(name)
        assert other is not None
        return parameters(name, other)
    if not isinstance(member.value, tree.Function):
        return {}
    return {p.name: None if p.default is None else plain(p.default.span.text) for p in member.value.parameters}


@pytest.mark.parametrize("name", SIGNATURES)
def test_is_there_as_in_the_reference(name: str) -> None:
    if name in PRELUDE:
        return
    member = found(name)
    assert member is not None
    source = Source("signature", re.sub(r"^[\w.]+", "f", SIGNATURES[name]) + " = 0")
    expected = parameters("f", parse_member(ExpandedText.of(source), 0, len(source.text)))
    expected |= NEVER_EVALUATED.get(name, {})
    assert list(parameters(name, member).items()) == list(expected.items())


@pytest.mark.parametrize("name", [n for n in SIGNATURES if n not in PRELUDE])
def test_has_a_doc_comment(name: str) -> None:
    member = found(name)
    assert member is not None
    assert len(doc_above(member)) > 2


def test_nothing_else_is_defined() -> None:
    """A name more would hide a mistake: what CNTK does not know must be unknown here, too."""
    assert set(library()) == {n for n in SIGNATURES if "." not in n} - set(PRELUDE)
    for record in ("BS", "CNTK2"):
        todo = [record]
        while todo:
            path = todo.pop()
            member = found(path)
            assert member is not None and isinstance(member.value, tree.Record)
            names = {f"{path}.{n}" for n in member.value.members}
            assert names == {n for n in SIGNATURES if n.rpartition(".")[0] == path}
            todo += [n for n in names if isinstance(m := found(n), tree.Member) and isinstance(m.value, tree.Record)]

"""What nothing in a description uses."""

from __future__ import annotations

import pytest

from bsls.resolve.unused import unused
from bsls.source import ExpandedText, Source
from bsls.syntax.brainscript import Members, parse_expression


def unused_in(text: str) -> str:
    if text.startswith("("):
        description = parse_expression(ExpandedText.of(Source("net", text)))
    else:
        description = Members(ExpandedText.of(Source("net", text)), 0, len(text))
    return " ".join(member.name for member in unused(description))


@pytest.mark.parametrize(("text", "expected"), [
    ("f (a) = a", "f"),
    ("f (a) = a\nz = f (1)", ""),
    ("n = 3", "n"),
    ("n = 3\nz = Input {n}", ""),
    ("n = (3 : 4)\ns = 'a'\nb = true", "n s b"),
    ("z = Input {3}", ""),  # a node is a part of the network
    ("n = 3 * 4", ""),  # may be one
    ("x = {a = 1}", "x a"),
    ("x = {a = Tanh (b) ; b = Input {3} ; lost = 1}\nz = x.a", "lost"),
    ("f (v) = {W = v ; lost = Tanh (W) ; y = W}.y\nz = f (1)", "lost"),
    ("f (v) = {h = v ; g = v}\nz = f (1).g", ""),  # the library uses `.h` of states
    ("f (v) = [| v |]\nr = BS.RNNs.RecurrentLSTMP (3, x, previousHook = f)", ""),
    ("z = BS.Network.CloneFunction (net.x, [ a = net.a ; b = net.b ])", ""),  # all of them are looked at
    ("z = new ComputationNode [ operation = 'Tanh' ; inputs = x ]", ""),
    ("net = new ComputationNetwork [ featureNodes = x ; x = Input {3} ]", ""),
    ("f (a) = a\nf2 (a) = f (a)", "f2"),
    ("f (a) = f (a)", ""),  # uses itself
    ("f (a) = a\nz = = 3", ""),  # what cannot be read may use it
    ("([ a = 1 ; b = Input {3} ; c = Tanh (b) ].c)", "a"),
    ("featureNodes = 3", ""),
])  # fmt: skip
def test_unused(text: str, expected: str) -> None:
    assert unused_in(text) == expected

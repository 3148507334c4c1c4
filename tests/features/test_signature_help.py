"""The signature of the call around a cursor."""

from __future__ import annotations

import pytest

from bsls.features.signature_help import signature_help
from features.editing import at_cursor, network

NETWORK = """        # Doubles x.
        twice (x, times = 2, offset = 0) = {
            # Adds k.
            add (k, bias = 1) = x + k
            y = times * x
        }
        pixels = Input {64}
        r = { p = Tanh (pixels) ; q = Sigmoid (p) }
        layer = LinearLayer {3}
        part = BS.Network.CloneFunction ((pixels : r.p), r.q)
        z = %s
        last = 5"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("twice (‸", "twice («x», times = 2, offset = 0)"),
        ("twice (3‸", "twice («x», times = 2, offset = 0)"),
        ("twice (a b‸", "twice («x», times = 2, offset = 0)"),
        ("twice (3, ‸", "twice (x, times = 2, offset = 0)"),
        ("twice (3, offset = ‸", "twice (x, times = 2, «offset = 0»)"),
        ("twice (3, offset = 3, times = 4‸)", "twice (x, «times = 2», offset = 0)"),
        ("twice {3, offset = ‸}", "twice (x, times = 2, «offset = 0»)"),
        ("twice (offset = 3, ‸)", "twice («x», times = 2, offset = 0)"),
        ("twice ((1 : 2‸), 3)", "twice («x», times = 2, offset = 0)"),
        ("twice (1, times = twice (‸", "twice («x», times = 2, offset = 0)"),
        ("twice (Min (1, ‸", "Min (a, «b»)"),
        ("twice (Min (1, 2), ‸", "twice (x, times = 2, offset = 0)"),
        ("array [0 .. 3] (i => Min (i, ‸))", "Min (a, «b»)"),
        ("twice (3).add (‸)", "twice (…).add («k», bias = 1)"),
        ("layer (‸)", "layer («x»)"),
        ("LinearLayer {3} (‸", "LinearLayer {…} («x»)"),
        ("part (pixels, ‸", "part (pixels, «p»)"),
        ('BS.Network.CloneFunction (pixels, r.q, parameters = "‸")', "BS.Network.CloneFunction (inputNodes, outputNodes, «parameters = \"learnable\"»)"),
        ("BS.Network.Load ('‸", "BS.Network.Load («pathName»)"),
        ("{ f (a, b) = a + b ; g = f (1, ‸", "f (a, «b»)"),
        ("a b, Min (‸", "Min («a», b)"),
        ("ReLU (‸", "ReLU («_», tag = '', precision = precision)"),
        ("RectifiedLinear (‸", "RectifiedLinear («_», tag = '', precision = precision)"),
        ("pixels (‸", ""),
        ("(‸)", ""),
        ("twice (3)‸", ""),
        ("twice (3 // ‸", ""),
        ("twice‸ (3)", ""),
        ("[1, ‸]", ""),
    ],
)  # fmt: skip
def test_signatures(text: str, expected: str) -> None:
    document, offset = at_cursor(network(NETWORK % text))
    found = signature_help(document, offset)
    if found is None:
        assert not expected
        return
    label = found.label
    if found.active is not None:
        start, end, _ = found.parameters[found.active]
        label = f"{label[:start]}«{label[start:end]}»{label[end:]}"
    assert label == expected


def test_docs() -> None:
    document, offset = at_cursor(network(NETWORK % "twice (‸"))
    assert (found := signature_help(document, offset)) is not None
    assert found.doc == "Doubles x."
    document, offset = at_cursor(network(NETWORK % "ParameterTensor {3, init = ‸"))
    assert (found := signature_help(document, offset)) is not None and found.active is not None
    assert found.parameters[found.active][2].startswith("Kind of initial values")


def test_outside_of_a_network() -> None:
    document, offset = at_cursor("command = (‸)")
    assert signature_help(document, offset) is None

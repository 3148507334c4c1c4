"""The outline, one symbol a line: name, kind, detail."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.features.document_symbols import Symbol, document_symbols
from features.editing import network, opened


def lines(symbols: list[Symbol], depth: int = 0) -> Iterator[str]:
    for symbol in symbols:
        assert symbol.span.start <= symbol.selection.start <= symbol.selection.end <= symbol.span.end
        assert symbol.selection.text == symbol.name
        yield f"{'  ' * depth}{symbol.name} {symbol.kind} {symbol.detail}".rstrip()
        for child in symbol.children:
            assert symbol.span.start <= child.span.start <= child.span.end <= symbol.span.end
        yield from lines(symbol.children, depth + 1)


def test_outline() -> None:
    text = """\
x = Input {3}
Layer {v, n = 4} = { W = ParameterTensor {(n:3)} ; y = W * v }
Half (a) = { y = a }.y
L = { M = { a = Tanh (x) } ; b = Half (x) }
h[i:0..2] = i
bad = * 2
z = Tanh (x)
outputNodes = (z)"""
    assert (
        "\n".join(lines(document_symbols(opened(network(text)))))
        == """\
command key T
T section train
  action key train
  modelPath key m.dnn
  BrainScriptNetworkBuilder block
    x variable InputValue [3 x *]
    Layer function (v, n = 4)
      W variable
      y variable
    Half function (a)
      y variable
    L record
      M record
        a variable
      b variable
    h array
    bad variable
    z variable Tanh [3 x *]
    outputNodes variable"""
    )


def test_nested_values() -> None:
    text = network("x = Input {3} ; L = { a = Tanh (x) } ; z = L.a")
    assert "      a variable Tanh [3 x *]" in lines(document_symbols(opened(text)))


def test_a_library_file() -> None:
    text = "# doc\nF (x, y) = { z = x }\nG = 3\n"
    assert list(lines(document_symbols(opened(text, name="a.bs")))) == [
        "F function (x, y)",
        "  z variable",
        "G variable",
    ]


def test_blocks_of_a_config() -> None:
    text = 'A = [ action = "test" ; reader = [ readerType = "UCIFastReader" ; x = [ dim = 3 ] ] ; NDLNetworkBuilder = [ a = b ] ]'
    assert list(lines(document_symbols(opened(text)))) == [
        "A section test", "  action key test", "  reader block UCIFastReader", "    readerType key UCIFastReader",
        "    x block", "  NDLNetworkBuilder block",
    ]  # fmt: skip

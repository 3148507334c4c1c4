"""Parse tables of the grammars, kept beside them so that a start need not work them out again.

`python -m bsls.syntax.tables` writes them anew after a change of a grammar. Tables that do not belong to the grammar's
text and to the lark that is installed are not used: then the grammar itself is read, which gives the same parser.
"""

from __future__ import annotations

import json
import zlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark, Transformer

GRAMMARS = ("brainscript",)


def parser(name: str, builder: Transformer) -> Lark:
    """The parser of a grammar, which makes its tree with `builder`."""
    from lark import Lark

    grammar = _grammar(name)
    file = files("bsls.syntax").joinpath(f"{name}.tables.json")
    if file.is_file():
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["made_for"] == _made_for(grammar):
            made = Lark.__new__(Lark)
            made._load({"data": _numbers(stored["data"]), "memo": _numbers(stored["memo"])}, transformer=builder)
            return made
    return Lark(grammar, parser="lalr", maybe_placeholders=False, transformer=builder)


def tables(name: str) -> str:
    """The tables of a grammar as JSON text."""
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = _grammar(name)
    data, memo = Lark(grammar, parser="lalr", maybe_placeholders=False).memo_serialize([TerminalDef, Rule])
    stored = {"made_for": _made_for(grammar), "data": data, "memo": memo}
    return json.dumps(stored, separators=(",", ":"), sort_keys=True) + "\n"


def _grammar(name: str) -> str:
    return files("bsls.syntax").joinpath(f"{name}.lark").read_text(encoding="utf-8")


def _made_for(grammar: str) -> str:
    from lark import __version__

    return f"lark {__version__}, grammar {zlib.crc32(grammar.encode()):08x}"


def _numbers(value: Any) -> Any:
    """The tables with the numbers that JSON has turned into text as keys."""
    if isinstance(value, dict):
        return {int(k) if k.isdecimal() else k: _numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return value


if __name__ == "__main__":
    for grammar_name in GRAMMARS:
        Path(__file__).with_name(f"{grammar_name}.tables.json").write_text(tables(grammar_name), encoding="utf-8")

"""The parse tables beside a grammar make the parser that the grammar makes."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from lark import Lark, Transformer

from bsls.library.index import library
from bsls.syntax import tables


@pytest.mark.parametrize("name", tables.GRAMMARS)
def test_tables_belong_to_the_grammar(name: str) -> None:
    stored = json.loads(files("bsls.syntax").joinpath(f"{name}.tables.json").read_text(encoding="utf-8"))
    made_for = json.loads(tables.tables(name))["made_for"]
    assert stored["made_for"] == made_for, "run python -m bsls.syntax.tables"


def test_same_trees() -> None:
    grammar = files("bsls.syntax").joinpath("brainscript.lark").read_text(encoding="utf-8")
    by_grammar = Lark(grammar, parser="lalr", maybe_placeholders=False)
    by_tables = tables.parser("brainscript", Transformer())
    for file in {id(file): file for file in library().values()}.values():
        for name, (start, end) in file.names.items():
            text = file.source.text[start:end]
            assert by_tables.parse(text) == by_grammar.parse(text), name

"""Files with the names of categories: which columns of which data they come from."""

from __future__ import annotations

from dataclasses import dataclass

from bsls.config.section import Section, Value

TABLE_READER = "UCIFastReader"
_MARKS = ("labelMappingFile", "labelDim", "labelType")
"""Keys of which a reader's block has at least one if it is about labels."""


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """A column of words in a text table, from 0, and the file that is to list them in order of their first appearance.

    `delimiter` is what stands between columns; empty: blanks and tabs.
    """

    data: Value
    names: Value
    column: int
    delimiter: str


def label_columns(section: Section) -> list[LabelColumn]:
    """What a `createLabelMap` command goes through: the label blocks of the reader in the section that it names."""
    named = section.require("section")
    used = section.section(named.text)
    if used is None:
        raise named.error("there is no such section", "name the section whose reader has the labels")
    reader = used.section("reader")
    if reader is None:
        raise named.error("this section has no reader", "name the section whose reader has the labels")
    kind = reader.require("readerType")
    if kind.text.lower() != TABLE_READER.lower():
        raise kind.error("only text tables are searched for labels", f"use readerType = {TABLE_READER}")
    blocks = sorted((v.key for v in reader if v.raw.text[:1] in ("[", "{")), key=str.lower)
    found = [b for key in blocks if (b := reader.own_section(key)) is not None and any(map(b.own, _MARKS))]
    if not found:
        raise named.error("its reader has no labels", 'add labels = [ start = 0 ; dim = 1 ; labelMappingFile = "..." ]')
    delimiter = reader.get_string("customDelimiter", "")[:1]
    return [
        LabelColumn(b.require("file"), b.require("labelMappingFile"), b.get_integer("start", 0), delimiter)
        for b in found
    ]
